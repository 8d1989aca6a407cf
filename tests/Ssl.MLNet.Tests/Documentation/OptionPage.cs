using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

using Ssl.Estimators;
using Ssl.Estimators.Methods;

namespace Ssl.MLNet.Tests;

/// <summary>docs/options.md, made from the declarations of the options and their doc comments.</summary>
internal static class OptionPage
{
    private static readonly Dictionary<string, XElement> s_comments = XDocument
        .Load(Path.Combine(AppContext.BaseDirectory, "Ssl.Estimators.xml")).Descendants("member")
        .ToDictionary(member => member.Attribute("name")!.Value);

    // Every method has defaults of its own for these, so that they stand in its own table.
    private static readonly string[] s_ownDefaults = ["BatchSize", "NumberOfEpochs", "LearningRate", "WeightDecay"];

    private static readonly (string Title, string Catalog, Type Options)[] s_kinds =
    [
        ("Text", "Text", typeof(TextPretrainingOptions)),
        ("Tables", "Tabular", typeof(TabularPretrainingOptions)),
        ("Images", "Images", typeof(ImagePretrainingOptions)),
        ("Time series", "TimeSeries", typeof(TimeSeriesPretrainingOptions)),
        ("Sound", "Audio", typeof(TimeSeriesPretrainingOptions)),
        ("Images with texts", "ImageText", typeof(ImageTextPretrainingOptions)),
    ];

    /// <summary>The methods of a kind of data, by their names in the catalog.</summary>
    public static IEnumerable<(string Name, Type Options)> Methods(string catalog)
        => typeof(SelfSupervisedCatalog).GetProperty(catalog)!.PropertyType
            .GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(method => method.GetParameters() is [{ } only] && only.ParameterType.IsAssignableTo(typeof(PretrainingOptions)))
            .Select(method => (method.Name, method.GetParameters()[0].ParameterType))
            .OrderBy(method => method.Name, StringComparer.Ordinal);

    /// <summary>The names of all methods.</summary>
    public static IEnumerable<string> AllMethods => s_kinds.SelectMany(kind => Methods(kind.Catalog)).Select(method => method.Name);

    /// <summary>The page.</summary>
    public static string Write()
    {
        var page = new StringBuilder();
        Line(page, "# Methods and their options");
        Line(page, "");
        Line(page, "<!-- Made from the declarations: SSL_UPDATE_DOCS=1 dotnet test -c Release tests/Ssl.MLNet.Tests --filter OptionPageTests -->");
        Line(page, "Made from the declarations in the source, and compared with them by a test. Settings are checked when an estimator is made, all faults");
        Line(page, "at once; a run states those that differ from these defaults in ML.NET's log.");
        Line(page, "");
        Line(page, "| method | data | paper | file |");
        Line(page, "| --- | --- | --- | --- |");
        foreach (var (title, catalog, _) in s_kinds)
            foreach (var (name, options) in Methods(catalog))
                Line(page, $"| [`{name}`](#{Anchor(name)}) | {title.ToLowerInvariant()} | {Papers(options.DeclaringType!)} | {File(options.DeclaringType!)} |");

        Table(page, "Every method", "The options of all methods, beside batch size, epochs, learning rate and weight decay, whose defaults each has of its own.",
            new ScarfTrainer.Options(), type => type == typeof(PretrainingOptions), property => !s_ownDefaults.Contains(property.Name));
        foreach (var (title, catalog, kind) in s_kinds)
        {
            var methods = Methods(catalog).ToArray();
            // Sounds are read as series.
            var first = s_kinds.First(other => other.Options == kind);
            if (first.Catalog != catalog)
            {
                Line(page, "");
                Line(page, $"## {title}");
                Line(page, "");
                Line(page, $"Beside [those of every method](#{Anchor("Every method")}) and [of every method for {first.Title.ToLowerInvariant()}](#{Anchor($"{first.Title}: every method")}).");
            }
            else
            {
                Table(page, $"{title}: every method", $"Beside [those of every method](#{Anchor("Every method")}).",
                    Activator.CreateInstance(methods[0].Options)!, type => type == kind, _ => true);
            }
            foreach (var (name, options) in methods)
            {
                var made = Activator.CreateInstance(options)!;
                Table(page, name, $"`ssl.{catalog}.{name}`. {Text(Comment($"T:{options.DeclaringType!.FullName}"))}", made,
                    type => !type.IsAssignableFrom(kind), property => true, s_ownDefaults, level: 3);
                foreach (var preset in options.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
                    .Where(method => method.ReturnType == options && method.GetParameters().Length == 0))
                {
                    Line(page, "");
                    Line(page, $"`{name}Trainer.Options.{preset.Name}()`: {Text(Comment($"M:{Id(options)}.{preset.Name}"))}");
                }
            }
        }
        Table(page, "Fine-tuning: every task", "", new RegressionFineTuningTrainer.Options(), type => type == typeof(FineTuningOptions), _ => true);
        foreach (var (name, options) in new (string, object)[]
        {
            ("MulticlassClassification", new MulticlassFineTuningTrainer.Options()),
            ("BinaryClassification", new BinaryFineTuningTrainer.Options()),
            ("Regression", new RegressionFineTuningTrainer.Options()),
            ("NamedEntities", new NamedEntitiesTrainer.Options()),
            ("QuestionAnswering", new QuestionAnsweringTrainer.Options()),
        })
        {
            Table(page, name, $"`ssl.FineTune.{name}`, beside [those of every task](#{Anchor("Fine-tuning: every task")}).",
                options, type => type != typeof(FineTuningOptions), _ => true, level: 3);
        }
        foreach (var (title, call, options) in new (string, string, object)[]
        {
            ("Nearest neighbors", "NearestNeighbors", new NearestNeighborsEstimator.Options()),
            ("Predictions by neighbors", "NearestNeighborsMulticlassClassification`, `...BinaryClassification`, `...Regression", new NearestNeighborsPredictionEstimator.Options()),
            ("Few labels", "FewLabels.MulticlassClassification`, `BinaryClassification`, `Regression", new FewLabelsTrainer.Options()),
            ("Weights that exist", "LoadPretrained", new PretrainedOptions()),
            ("Folders of images", "Data.LoadImageFolder", new ImageFolderOptions()),
            ("Anomaly scores", "AnomalyScore", new AnomalyScoreEstimator.Options()),
            ("Whitening", "Whiten", new WhiteningEstimator.Options()),
            ("Hard negatives", "MineHardNegatives", new HardNegativeOptions()),
            ("Evaluation of a representation", "EvaluateRepresentation", new RepresentationEvaluationOptions()),
            ("Label efficiency", "LabelEfficiency", new LabelEfficiencyOptions()),
        })
        {
            Table(page, title, $"`ssl.{call}`.", options, _ => true, _ => true);
        }
        return page.ToString();
    }

    private static void Table(StringBuilder page, string title, string words, object options, Func<Type, bool> declaredBy,
        Func<PropertyInfo, bool> shown, string[]? first = null, int level = 2)
    {
        var all = OptionRuleAttribute.OptionsOf(options.GetType()).ToArray();
        var rows = all.Where(property => first?.Contains(property.Name) == true)
            .Concat(all.Where(property => declaredBy(property.DeclaringType!) && shown(property) && first?.Contains(property.Name) != true)).ToArray();
        Line(page, "");
        Line(page, $"{new string('#', level)} {title}");
        Line(page, "");
        if (words != "")
        {
            Line(page, words);
            Line(page, "");
        }
        if (rows.Length == 0)
        {
            Line(page, "None.");
            return;
        }
        Line(page, "| option | type | default | allowed | what it does |");
        Line(page, "| --- | --- | --- | --- | --- |");
        foreach (var property in rows)
        {
            Line(page, $"| `{property.Name}` | `{Type(property)}` | {Default(property, options)} | {Allowed(property, options)} | "
                + $"{Text(Comment($"P:{Id(property.DeclaringType!)}.{property.Name}"))} |");
        }
    }

    private static string Allowed(PropertyInfo property, object options)
    {
        if (property.Name == nameof(PretrainingOptions.BatchSize) && options is PretrainingOptions pretraining)
            return $"at least {pretraining.MinimumBatchSize}";
        if (property.GetCustomAttribute<OptionRuleAttribute>() is { } rule)
            return Regex.Replace(rule.Rule, "^must (be )?", "").Replace("not be empty", "not empty") + (IsOptional(property, rule) ? ", or null" : "");
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        return type.IsEnum ? string.Join(", ", Enum.GetNames(type).Select(name => $"`{name}`")) : "";
    }

    private static bool IsOptional(PropertyInfo property, OptionRuleAttribute rule)
        => Nullable.GetUnderlyingType(property.PropertyType) is not null || rule is NotEmptyAttribute { AllowsNull: true };

    private static string Default(PropertyInfo property, object options)
        => property.Name == nameof(PretrainingOptions.LearningRate) && options is PretrainingOptions pretraining
            ? Default(pretraining.EffectiveLearningRate) + "; from weights that exist " + pretraining.AdaptingLearningRate.ToString("0.#####", CultureInfo.InvariantCulture)
            : Default(property.GetValue(options));

    private static string Default(object? value) => value switch
    {
        null => "none",
        bool on => on ? "`true`" : "`false`",
        string text => $"\"{text}\"",
        CancellationToken => "none",
        Enum choice => $"`{choice}`",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        IEnumerable items => items.Cast<object>().Any() ? string.Join(", ", items.Cast<object>().Select(Default)) : "none",
        MulticlassFineTuningTrainer.Options => "its defaults",
        _ => throw new AssertFailedException($"Say how the table shows a default of type {value.GetType()}."),
    };

    private static string Type(PropertyInfo property)
    {
        var name = Name(property.PropertyType);
        return new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable && !name.EndsWith('?') ? name + "?" : name;
    }

    private static string Name(Type type) => type switch
    {
        _ when Nullable.GetUnderlyingType(type) is { } inner => Name(inner) + "?",
        _ when type == typeof(int) => "int",
        _ when type == typeof(long) => "long",
        _ when type == typeof(float) => "float",
        _ when type == typeof(double) => "double",
        _ when type == typeof(bool) => "bool",
        _ when type == typeof(string) => "string",
        _ when type.IsGenericType => $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>",
        _ => type.Name,
    };

    private static string Papers(Type trainer)
    {
        var remarks = Text(s_comments[$"T:{trainer.FullName}"].Element("remarks"));
        var first = Regex.Match(remarks, """(?<who>[A-Z]\w+(?: et al\.|(?:, [A-Z]\w+)*(?: and [A-Z]\w+)?)), (?:"[^"]+"(?: \([^)]*\))?, )?(?<year>(?:19|20)\d\d)\b""");
        var numbers = Regex.Matches(remarks, @"arXiv:(\d{4}\.\d{4,5})").Select(match => match.Groups[1].Value).Distinct()
            .Select(number => $"[arXiv:{number}](https://arxiv.org/abs/{number})").ToArray();
        if (!first.Success && numbers.Length == 0)
            throw new AssertFailedException($"The remarks of {trainer.Name} name no paper.");
        return string.Join(", ", numbers.Prepend(first.Success ? $"{first.Groups["who"].Value} {first.Groups["year"].Value}" : "").Where(text => text != ""));
    }

    private static string File(Type trainer)
    {
        var name = trainer.Name[..^"Trainer".Length] + ".cs";
        var path = Directory.GetFiles(Path.Combine(Repository.Root, "src", "Ssl.Estimators", "Methods"), name, SearchOption.AllDirectories).Single();
        return $"[{name}](../{Path.GetRelativePath(Repository.Root, path).Replace('\\', '/')})";
    }

    private static XElement? Comment(string id) => s_comments[id].Element("inheritdoc")?.Attribute("cref") is { } other ? Comment(other.Value) : s_comments[id].Element("summary");

    private static string Id(Type type) => type.FullName!.Replace('+', '.');

    // The text of a comment in Markdown, on one line.
    private static string Text(XElement? comment)
    {
        if (comment is null)
            return "";
        var text = string.Concat(comment.Nodes().Select(node => node switch
        {
            XText words => words.Value,
            XElement { Name.LocalName: "see" or "seealso" } see when see.Attribute("cref") is { } cref
                => $"`{Keyword(Regex.Match(cref.Value, @"(\w+)(?:\(.*\))?$").Groups[1].Value)}`",
            XElement { Name.LocalName: "see" } see => $"`{see.Attribute("langword")?.Value ?? see.Value}`",
            XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
            XElement { Name.LocalName: "paramref" } parameter => $"`{parameter.Attribute("name")!.Value}`",
            XElement other => Text(other),
            _ => "",
        }));
        return Regex.Replace(text, @"\s+", " ").Trim().Replace("|", "\\|").Replace("<", "&lt;");
    }

    private static string Keyword(string name) => name switch { "Single" => "float", "UInt32" => "uint", "Boolean" => "bool", "Byte" => "byte", _ => name };

    private static string Anchor(string title) => Regex.Replace(title.ToLowerInvariant(), "[^a-z0-9 -]", "").Replace(' ', '-');

    private static void Line(StringBuilder page, string text) => page.Append(text).Append('\n');
}
