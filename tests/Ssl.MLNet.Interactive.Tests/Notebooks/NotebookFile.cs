using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssl.MLNet.Interactive.Tests.Notebooks;

/// <summary>What a cell put out, as a notebook file keeps it.</summary>
/// <param name="Kind">"stream" for what was printed, "display_data", "execute_result" for a cell's value, "error".</param>
/// <param name="MimeType">What <paramref name="Text"/> is.</param>
/// <param name="Text">The contents.</param>
internal sealed record Output(string Kind, string MimeType, string Text);

/// <summary>Files of notebooks, nbformat 4.5, as Jupyter and Polyglot Notebooks read them.</summary>
internal static class NotebookFile
{
    private static readonly JsonSerializerOptions s_format = new() { WriteIndented = true, IndentSize = 1, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    public static string PathOf(string name) => Path.Combine(NotebookSource.Folder, $"{name}.ipynb");

    /// <summary>Writes a notebook that was run.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cells">The cells.</param>
    /// <param name="outputs">A list for each of them; empty for words.</param>
    public static void Write(string name, IReadOnlyList<Cell> cells, IReadOnlyList<IReadOnlyList<Output>> outputs)
    {
        var (list, count) = (new JsonArray(), 0);
        foreach (var (i, cell) in cells.Index())
        {
            var item = new JsonObject { ["cell_type"] = cell.IsCode ? "code" : "markdown" };
            if (cell.IsCode)
                item["execution_count"] = ++count;
            item["id"] = $"cell-{i + 1}";
            item["metadata"] = cell.IsCode ? new JsonObject { ["language_info"] = new JsonObject { ["name"] = "polyglot-notebook" }, ["polyglot_notebook"] = new JsonObject { ["kernelName"] = "csharp" } } : new JsonObject();
            if (cell.IsCode)
                item["outputs"] = new JsonArray([.. outputs[i].Select(output => Json(output, count))]);
            item["source"] = Lines(cell.Text);
            list.Add(item);
        }
        var notebook = new JsonObject
        {
            ["cells"] = list,
            ["metadata"] = new JsonObject
            {
                ["kernelspec"] = new JsonObject { ["display_name"] = ".NET (C#)", ["language"] = "C#", ["name"] = ".net-csharp" },
                ["language_info"] = new JsonObject { ["name"] = "polyglot-notebook" },
                ["polyglot_notebook"] = new JsonObject
                {
                    ["kernelInfo"] = new JsonObject { ["defaultKernelName"] = "csharp", ["items"] = new JsonArray(new JsonObject { ["aliases"] = new JsonArray(), ["name"] = "csharp" }) },
                },
                ["executed"] = new JsonObject { ["date"] = $"{DateTime.UtcNow:yyyy-MM-dd}", ["cores"] = Environment.ProcessorCount, ["dotnet"] = $"{Environment.Version}" },
            },
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        };
        File.WriteAllText(PathOf(name), notebook.ToJsonString(s_format) + "\n");
    }

    /// <summary>The cells of a notebook and what they put out.</summary>
    public static (Cell[] Cells, Output[][] Outputs) Read(string name)
    {
        var cells = JsonNode.Parse(File.ReadAllText(PathOf(name)))!["cells"]!.AsArray();
        return ([.. cells.Select(cell => new Cell((string)cell!["cell_type"]! == "code", Text(cell["source"]!)))],
            [.. cells.Select(cell => cell!["outputs"] is JsonArray outputs ? outputs.Select(output => Parse(output!.AsObject())).ToArray() : [])]);
    }

    private static JsonObject Json(Output output, int count) => output.Kind switch
    {
        "stream" => new JsonObject { ["name"] = "stdout", ["output_type"] = "stream", ["text"] = Lines(output.Text) },
        "error" => new JsonObject { ["ename"] = "Error", ["evalue"] = output.Text, ["output_type"] = "error", ["traceback"] = new JsonArray() },
        "execute_result" => new JsonObject { ["data"] = new JsonObject { [output.MimeType] = Lines(output.Text) }, ["execution_count"] = count, ["metadata"] = new JsonObject(), ["output_type"] = "execute_result" },
        _ => new JsonObject { ["data"] = new JsonObject { [output.MimeType] = Lines(output.Text) }, ["metadata"] = new JsonObject(), ["output_type"] = "display_data" },
    };

    private static Output Parse(JsonObject output)
    {
        var kind = (string)output["output_type"]!;
        if (kind == "stream")
            return new Output(kind, "text/plain", Text(output["text"]!));
        if (kind == "error")
            return new Output(kind, "text/plain", (string)output["evalue"]!);
        var (mimeType, text) = output["data"]!.AsObject().Single();
        return new Output(kind, mimeType, Text(text!));
    }

    // A line each, with its break.
    private static JsonArray Lines(string text) => [.. text.Split('\n').Select((line, i) => (JsonNode)(i == text.Count(c => c == '\n') ? line : line + "\n")).Where(line => (string)line! != "")];

    private static string Text(JsonNode lines) => lines is JsonArray several ? string.Concat(several.Select(line => (string)line!)) : (string)lines!;
}
