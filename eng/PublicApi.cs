#:property PublishAot=false

// Brings src/*/PublicAPI.Unshipped.txt in line with the code, after a change of public members that is meant:
//   dotnet run eng/PublicApi.cs
// New members are added; members that are gone leave the file or, where a release had them (PublicAPI.Shipped.txt), are marked *REMOVED*.
//   dotnet run eng/PublicApi.cs -- ship      at a release: moves everything into PublicAPI.Shipped.txt
using System.Diagnostics;
using System.Text.RegularExpressions;

const string Header = "#nullable enable", Removed = "*REMOVED*";
if (args.Length > 1 || args is [not "ship"])
{
    Console.Error.WriteLine("Usage: dotnet run eng/PublicApi.cs [-- ship]");
    return 2;
}
var source = new DirectoryInfo(Path.Combine(AppContext.GetData("EntryPointFileDirectoryPath") as string ?? ".", "..", "src"));
var projects = source.GetFiles("PublicAPI.Shipped.txt", SearchOption.AllDirectories).Select(file => file.Directory!).ToArray();
return args is ["ship"] ? Ship() : Update();

// How many projects lie below one.
int Depth(string project) => Regex.Matches(File.ReadAllText(Path.Combine(source.FullName, project, $"{project}.csproj")), @"<ProjectReference Include=""\.\./([^/""]+)/")
    .Select(reference => 1 + Depth(reference.Groups[1].Value)).DefaultIfEmpty(0).Max();

int Update()
{
    var output = "";
    // Each by itself, behind those that it needs.
    foreach (var project in projects.OrderBy(project => Depth(project.Name)).ThenBy(project => project.Name, StringComparer.Ordinal))
    {
        // Errors elsewhere stay errors; these two are only listed. Without a solution analyzers run only where they are asked for.
        var start = new ProcessStartInfo("dotnet", ["build", project.FullName, "--no-dependencies", "--no-incremental", "--nologo",
            "-p:TreatWarningsAsErrors=false", "-p:RunAnalyzersDuringBuild=true", "-clp:NoSummary"]) { RedirectStandardOutput = true };
        using var build = Process.Start(start)!;
        var said = build.StandardOutput.ReadToEnd();
        build.WaitForExit();
        if (build.ExitCode != 0)
        {
            Console.Error.WriteLine(said);
            Console.Error.WriteLine("The build failed: mend that first, then run this again.");
            return 1;
        }
        output += said;
    }
    foreach (var project in projects)
    {
        var found = Regex.Matches(output, @"warning (RS0016|RS0017): Symbol '(.*?)' is (?:not )?part of .*\[(.*?)(?:::.*)?\]")
            .Where(match => Path.GetDirectoryName(match.Groups[3].Value) == project.FullName).ToArray();
        var added = found.Where(match => match.Groups[1].Value == "RS0016").Select(match => match.Groups[2].Value).ToHashSet();
        var gone = found.Where(match => match.Groups[1].Value == "RS0017").Select(match => match.Groups[2].Value).ToHashSet();
        var shipped = Read(project, "Shipped");
        Write(project, "Unshipped", Read(project, "Unshipped").Except(gone).Union(added)
            .Union(gone.Where(shipped.Contains).Select(line => Removed + line)));
        Console.WriteLine($"{project.Name}: {added.Count} added, {gone.Count} gone");
    }
    return 0;
}

int Ship()
{
    foreach (var project in projects)
    {
        var unshipped = Read(project, "Unshipped");
        var removed = unshipped.Where(line => line.StartsWith(Removed, StringComparison.Ordinal)).ToHashSet();
        Write(project, "Shipped", Read(project, "Shipped").Except(removed.Select(line => line[Removed.Length..]))
            .Union(unshipped.Except(removed)));
        Write(project, "Unshipped", []);
    }
    return 0;
}

static HashSet<string> Read(DirectoryInfo project, string file)
    => File.ReadLines(Path.Combine(project.FullName, $"PublicAPI.{file}.txt")).Where(line => line.Length > 0 && line != Header).ToHashSet();

static void Write(DirectoryInfo project, string file, IEnumerable<string> lines)
    => File.WriteAllText(Path.Combine(project.FullName, $"PublicAPI.{file}.txt"),
        string.Join('\n', lines.Order(StringComparer.Ordinal).Prepend(Header)) + "\n");
