using System.Text.Json;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Methods;
using Ssl.MLNet;
using Ssl.Tool.Configuration;

namespace Ssl.Tool.Tests;

/// <summary>Files of settings: every method and option of the library, and every fault with its line.</summary>
[TestClass]
public sealed class SettingsTests
{
    private readonly ToolRun _tool = new();

    [TestCleanup]
    public void Clean() => _tool.Dispose();

    public static IEnumerable<object[]> Methods => MethodCatalog.All.Select(method => new object[] { method.FullName });

    [TestMethod]
    public void All_groups_of_the_catalog_have_their_methods()
    {
        var groups = MethodCatalog.All.GroupBy(method => method.Group.Name).ToDictionary(group => group.Key, group => group.Select(method => method.Name).ToArray());
        Assert.AreEqual("Audio, ImageText, Images, Tabular, Text, TimeSeries", string.Join(", ", groups.Keys.Order(StringComparer.Ordinal)));
        foreach (var (group, name) in new[] { ("Text", "SimCse"), ("Tabular", "Scarf"), ("Images", "SimClr"), ("TimeSeries", "Ts2Vec"), ("Audio", "ByolA"), ("ImageText", "Clip") })
            Assert.Contains(name, groups[group]);
        Assert.IsGreaterThanOrEqualTo(35, MethodCatalog.All.Count);
    }

    // The settings that ssl methods shows are settings that ssl pretrain takes, and the trainer can be made of them.
    [TestMethod]
    [DynamicData(nameof(Methods))]
    public void Every_option_takes_the_default_that_is_shown(string name)
    {
        var method = MethodCatalog.Find(name)!;
        var entries = OptionList.Of(method).ToArray();
        Assert.IsGreaterThan(15, entries.Length);
        Assert.IsTrue(entries.All(entry => entry.Comment.Length > 10), "Every option has a comment.");
        var options = (PretrainingOptions)Activator.CreateInstance(method.OptionsType)!;
        var settable = OptionRuleAttribute.OptionsOf(method.OptionsType).ToDictionary(property => property.Name);
        var before = entries.ToDictionary(entry => entry.Name, entry => settable[entry.Name].GetValue(options));
        // A null that stands for something else is not for stating.
        var text = $"{{ {string.Join(", ", entries.Where(entry => entry.Default != "null").Select(entry => $"\"{entry.Name}\": {entry.Default}"))} }}";
        var faults = new ConfigFaults("test");
        using var reader = new ValueReader(new MLContext(0).SelfSupervised(), faults);
        reader.Set(options, ConfigNode.Parse("test", text), new HashSet<string>());
        faults.ThrowIfAny();
        foreach (var (option, value) in before)
            Assert.AreEqual(JsonSerializer.Serialize(value), JsonSerializer.Serialize(settable[option].GetValue(options)), option);
        if (options is TabularPretrainingOptions tabular)
            tabular.InputColumnNames = ["A"];
        Assert.IsNotNull(method.Create(new MLContext(0).SelfSupervised(), options));
    }

    [TestMethod]
    public void Encoders_views_and_other_values_are_made_by_their_names()
    {
        var clip = Options("Clip", """{ "ImageEncoder": { "name": "ResNet18", "imageSize": 16, "stem": "Small", "width": 4 }, "TextEncoder": "Bag" }""");
        Assert.AreEqual("text.bag", ((EncoderFactory)Value(clip, "TextEncoder")).Kind);
        Assert.AreEqual(32, ((EncoderFactory)Value(clip, "ImageEncoder")).EmbeddingDimension);
        var byol = Options("Byol", """{ "View": [{ "name": "ColorJitter", "hue": 0 }, "Grayscale", { "name": "CropAndFlip", "shape": { "Channels": 3, "Height": 8, "Width": 8 } }] }""");
        Assert.IsNotNull(Value(byol, "View"));
        var scarf = Options("Scarf", """{ "View": { "name": "MarginalSwap", "rate": 0.25 }, "MaximumTrainingTime": "00:10:00", "NumericScaling": "zscore" }""");
        Assert.AreEqual(TimeSpan.FromMinutes(10), Value(scarf, "MaximumTrainingTime"));
        Assert.AreEqual("ZScore", Value(scarf, "NumericScaling").ToString());
        var sound = Options("ByolA", """{ "Spectrogram": { "sampleRate": 8000, "numberOfBands": 20 } }""");
        Assert.AreEqual(20, ((LogMelSpectrogram)Value(sound, "Spectrogram")).NumberOfBands);

        static object Value(PretrainingOptions options, string name) => options.GetType().GetProperty(name)!.GetValue(options)!;
    }

    [TestMethod]
    public void All_faults_are_told_at_once_with_their_lines()
    {
        var path = _tool.Write("bad.json", """
            {
              "data": { "path": "x.csv", "sep": ";", "types": { "A": "date" } },
              "method": "SimCse",
              "options": {
                "BatchSice": 4,
                "Temperature": -1,
                "LowerCase": "yes",
                "NumberOfEpochs": 2.5,
                "Normalization": "Nfz",
                "Progress": null,
                "Encoder": { "name": "Transformr" },
                "Tokenizer": "x",
                "RequiredWords": "word"
              },
              "seed": "one",
              "device": "gpu",
              "colour": 1
            }
            """);
        var told = _tool.Refuse("pretrain", path, "-o", _tool.File("model")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] expected =
        [
            "(2): \"data\" has no \"sep\"", "(2): The type of 'A' must be \"text\" or \"number\", got date.",
            "(5): There is no option \"BatchSice\" of this method (did you mean \"BatchSize\"?).", "(6): Temperature must be greater than 0, got -1.",
            "(7): LowerCase must be true or false, got yes.", "(8): NumberOfEpochs must be a whole number, got 2.5.", "(9): Normalization must be one of ",
            "(10): The option Progress is set by the command itself: remove it.", "(11): Encoder has no \"Transformr\" (did you mean \"Transformer\"?). Known: Bag, Transformer.",
            "(12): Tokenizer can only be set in a program", "(13): RequiredWords must be an array, got word.",
            "(15): \"seed\" must be a whole number, got one.", "(16): \"device\" must be \"cpu\", \"cuda\" or \"cuda:N\", got \"gpu\".", "(17): The file has no \"colour\".",
        ];
        Assert.HasCount(expected.Length, told, string.Join('\n', told));
        for (var i = 0; i < expected.Length; i++)
            Assert.StartsWith(path + expected[i], told[i]);
        Assert.IsFalse(Directory.Exists(_tool.File("model")));
    }

    [TestMethod]
    public void Parameters_that_a_library_type_refuses_are_told_with_their_line()
    {
        Fault("""{ "Encoder": { "name": "Mlp", "dimension": 0 } }""", "(1): Encoder: ");
        Fault("""{ "Encoder": { "name": "Mlp", "width": 3 } }""", "(1): Encoder Mlp has no \"width\". Known: numberOfLayers, dimension");
        Fault("""{ "Encoder": { "pretrained": "nowhere" } }""", "(1): Encoder cannot be read: ");
        Fault("""{ "View": {} }""", "(1): View must be a name or an object with \"name\" and parameters");
        Fault("""{ "InputColumnNames": null }""", "(1): InputColumnNames must not be null.");

        static void Fault(string options, string expected)
            => Assert.Contains(expected, Assert.ThrowsExactly<ConfigException>(() => Options("Scarf", options)).Message);
    }

    [TestMethod]
    public void Rules_between_options_and_missing_columns_have_a_line_too()
    {
        _tool.WriteTable("rows.csv");
        var told = _tool.Refuse("pretrain", _tool.WriteTableSettings(more: " \"EarlyStoppingPatience\": 3"), "-o", _tool.File("model"));
        Assert.Contains("ssl.json(4): EarlyStoppingPatience must be null where ValidationFraction is 0", told);
        _tool.Write("texts.json", $$"""{ "data": { "path": {{JsonSerializer.Serialize(_tool.File("rows.csv"))}} }, "method": "SimCse" }""");
        told = _tool.Refuse("pretrain", _tool.File("texts.json"), "-o", _tool.File("model"));
        Assert.Contains("Could not find input column 'Text'", told);
        Assert.Contains("Id (Single), A (Single), B (Single), Color (String), Label (String).", told);
    }

    [TestMethod]
    public void What_is_no_JSON_is_told_with_its_line()
    {
        Assert.Contains("cut.json(3): This is no JSON that can be read: ", _tool.Refuse("pretrain", _tool.Write("cut.json", "{\n  \"data\": {},\n  oops\n}")));
        Assert.Contains("twice.json(3): This is no JSON that can be read: \"seed\" stands twice in one object.", _tool.Refuse("pretrain", _tool.Write("twice.json", "{\n  \"seed\": 1,\n  \"seed\": 2\n}")));
        Assert.Contains("must hold an object", _tool.Refuse("pretrain", _tool.Write("list.json", "[1]")));
        var told = _tool.Refuse("pretrain", _tool.Write("empty.json", "{}"));
        Assert.Contains("\"data\" must be an object", told);
        Assert.Contains("\"method\" is missing", told);
        Assert.Contains("There is no file", _tool.Refuse("pretrain", _tool.File("none.json")));
    }

    [TestMethod]
    public void Methods_are_listed_and_described()
    {
        var all = _tool.Succeed("methods");
        Assert.IsTrue(MethodCatalog.All.All(method => all.Contains($"  {method.Name} ", StringComparison.Ordinal)));
        var one = _tool.Succeed("methods", "simcse");
        Assert.Contains("\"Temperature\": 0.05   (must be greater than 0)", one);
        Assert.Contains("\"Encoder\": null   (null, { \"pretrained\": FOLDER }, or { \"name\": ... } with one of Bag, Transformer)", one);
        Assert.Contains("did you mean \"SimCse\"?", _tool.Refuse("methods", "SimCsee"));
    }

    [TestMethod]
    public void Settings_that_init_writes_can_be_used()
    {
        _tool.WriteTable("rows.csv");
        _tool.Succeed("init", _tool.File("rows.csv"), "-o", _tool.File("made.json"));
        using var settings = PretrainSettings.Read(_tool.File("made.json"));
        Assert.AreEqual("Tabular.Scarf", settings.Method.FullName);
        Assert.AreEqual("A B Color", string.Join(' ', ((TabularPretrainingOptions)settings.Options).InputColumnNames));
        Assert.IsNotNull(settings.CreateTrainer());
        Assert.Contains("is there already", _tool.Refuse("init", "-o", _tool.File("made.json")));
        foreach (var method in MethodCatalog.All.Where(method => method.Group.Name != "Tabular"))
        {
            var path = _tool.File($"{method.FullName}.json");
            _tool.Succeed("init", "-m", method.FullName, "-o", path);
            using var read = PretrainSettings.Read(path);
            Assert.IsNotNull(read.CreateTrainer(), method.FullName);
        }
    }

    private static PretrainingOptions Options(string method, string json)
    {
        var options = (PretrainingOptions)Activator.CreateInstance(MethodCatalog.Find(method)!.OptionsType)!;
        var faults = new ConfigFaults("test");
        using var reader = new ValueReader(new MLContext(0).SelfSupervised(), faults);
        reader.Set(options, ConfigNode.Parse("test", json), new HashSet<string>());
        faults.ThrowIfAny();
        return options;
    }
}
