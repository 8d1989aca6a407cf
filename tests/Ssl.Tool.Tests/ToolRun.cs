using System.Text.RegularExpressions;

namespace Ssl.Tool.Tests;

/// <summary>Runs of the command in this process, in a folder of their own.</summary>
internal sealed class ToolRun : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("ssl-tool-").FullName;

    /// <summary>What the last run wrote.</summary>
    public string Output { get; private set; } = "";

    /// <summary>What the last run told.</summary>
    public string Errors { get; private set; } = "";

    /// <summary>The path of a file in the folder.</summary>
    public string File(string name) => Path.Combine(Folder, name);

    /// <summary>Writes a file and gives its path.</summary>
    public string Write(string name, string text)
    {
        System.IO.File.WriteAllText(File(name), text);
        return File(name);
    }

    /// <summary>Runs a command line.</summary>
    public int Run(params string[] arguments) => Run(CancellationToken.None, arguments);

    /// <summary>Runs a command line that may be interrupted.</summary>
    public int Run(CancellationToken interrupt, params string[] arguments)
    {
        using StringWriter output = new(), errors = new();
        var code = SslCommand.Run(arguments, new ToolConsole(output, errors, isLive: false), interrupt);
        (Output, Errors) = (output.ToString().ReplaceLineEndings("\n"), errors.ToString().ReplaceLineEndings("\n"));
        return code;
    }

    /// <summary>Runs a command line that must end well.</summary>
    public string Succeed(params string[] arguments)
    {
        var code = Run(arguments);
        Assert.AreEqual(0, code, $"ssl {string.Join(' ', arguments)}\n{Output}{Errors}");
        return Output;
    }

    /// <summary>Runs a command line that must be refused, and gives what was told of it.</summary>
    public string Refuse(params string[] arguments)
    {
        Assert.AreEqual(SslCommand.UsageFault, Run(arguments), $"ssl {string.Join(' ', arguments)}\n{Output}{Errors}");
        return Errors;
    }

    /// <summary>Rows with a label that two of their columns tell.</summary>
    public string WriteTable(string name, int rows = 120, bool withLabel = true, int seed = 1)
    {
        var random = new Random(seed);
        var lines = Enumerable.Range(0, rows).Select(i =>
        {
            var yes = random.Next(2) == 1;
            string color = random.Next(4) == 0 ? "green" : yes ? "red" : "blue", missing = i % 17 == 0 ? "" : FormattableString.Invariant($"{random.NextDouble():0.000}");
            return FormattableString.Invariant($"{i},{random.NextDouble() + (yes ? 1 : 0):0.000},{missing},{color}{(withLabel ? yes ? ",yes" : ",no" : "")}");
        });
        return Write(name, $"Id,A,B,Color{(withLabel ? ",Label" : "")}\n{string.Join('\n', lines)}\n");
    }

    /// <summary>Settings for <see cref="WriteTable"/>.</summary>
    public string WriteTableSettings(string name = "ssl.json", string data = "rows.csv", int epochs = 3, string more = "")
        => Write(name, $$"""
            { // a comment
              "data": { "path": "{{File(data).Replace("\\", "\\\\", StringComparison.Ordinal)}}" },
              "method": "Scarf",
              "options": {
                "InputColumnNames": ["A", "B", "Color"], "BatchSize": 32, "NumberOfEpochs": {{epochs}},
                "Encoder": { "name": "Mlp", "numberOfLayers": 2, "dimension": 16 },{{more}}
              },
              "seed": 1,
            }
            """);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>A text with its runs of white space as one space.</summary>
    public static string OneLine(string text) => Regex.Replace(text, @"\s+", " ");
}
