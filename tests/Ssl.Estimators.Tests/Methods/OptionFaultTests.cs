using Ssl.Estimators.Methods;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods;

/// <summary>Faults between the options of pretraining: what a range of one option cannot say.</summary>
[TestClass]
public sealed class OptionFaultTests
{
    private static IEnumerable<Type> OptionsOf(Type kind)
        => AllMethods.Methods.Select(method => method.DeclaringType?.GetNestedType("Options")).OfType<Type>().Where(type => type.IsSubclassOf(kind));

    // The sentences of all faults; empty where there is none.
    private static string Faults(PretrainingOptions options)
    {
        try
        {
            options.ThrowIfInvalid();
            return "";
        }
        catch (ArgumentOutOfRangeException fault)
        {
            return fault.Message;
        }
    }

    /// <summary>A method that has rules of its own still has those of its kind of data.</summary>
    [TestMethod]
    public void Every_method_has_the_rules_of_its_kind()
    {
        var checkedMethods = 0;
        void Check<TOptions>(Action<TOptions> spoil, string fault) where TOptions : PretrainingOptions
        {
            foreach (var type in OptionsOf(typeof(TOptions)))
            {
                TOptions Make()
                {
                    var options = (TOptions)Activator.CreateInstance(type)!;
                    if (options is TabularPretrainingOptions table)
                        table.InputColumnNames = ["a", "b"];
                    return options;
                }
                Assert.AreEqual("", Faults(Make()), type.FullName);
                var spoiled = Make();
                spoil(spoiled);
                StringAssert.Contains(Faults(spoiled), fault, type.FullName);
                checkedMethods++;
            }
        }
        Check<TabularPretrainingOptions>(options => options.InputColumnNames = null!, "InputColumnNames must be set, got null");
        Check<TabularPretrainingOptions>(options => options.InputColumnNames = [], "InputColumnNames must have at least one name, got none");
        Check<TabularPretrainingOptions>(options => options.InputColumnNames = ["a", " "], "InputColumnNames must not have an empty name");
        Check<TabularPretrainingOptions>(options => options.InputColumnNames = ["a", "b", "a"], "InputColumnNames must not have a name twice, got 'a' twice");
        Check<TextPretrainingOptions>(options => options.RequiredWords = null!, "RequiredWords must be set, got null");
        Check<TextPretrainingOptions>(options => options.RequiredWords = ["one", "two words"], "RequiredWords");
        Check<TextPretrainingOptions>(options => options.Truncation = (TextTruncation)99, "Truncation");
        Check<TimeSeriesPretrainingOptions>(options => (options.Spectrogram, options.NumberOfChannels) = (new LogMelSpectrogram(8_000), 2),
            "NumberOfChannels must be null where Spectrogram is set, whose bands are the channels, got 2");
        Check<ImageTextPretrainingOptions>(options => options.TextColumnName = options.ImageColumnName, "TextColumnName must differ from ImageColumnName");
        Assert.IsGreaterThan(40, checkedMethods);
    }

    [TestMethod]
    public void What_has_faults_of_its_kind_and_of_its_own_names_them_together()
    {
        var faults = Faults(new ContrastiveMaskedCellsTrainer.Options { ContrastiveWeight = 0, MaskedWeight = 0, MaskRatio = 2 });
        StringAssert.Contains(faults, "InputColumnNames must have at least one name");
        StringAssert.Contains(faults, "ContrastiveWeight and MaskedWeight must not both be 0");
        StringAssert.Contains(faults, "MaskRatio");
    }

    [TestMethod]
    public void A_spectrogram_or_a_number_of_channels_alone_is_allowed()
    {
        Assert.AreEqual("", Faults(new Ts2VecTrainer.Options { Spectrogram = new LogMelSpectrogram(8_000) }));
        Assert.AreEqual("", Faults(new Ts2VecTrainer.Options { NumberOfChannels = 2 }));
    }

    /// <summary>One term may be switched off, not all: nothing would be learned.</summary>
    [TestMethod]
    [DataRow(1, 0, true)]
    [DataRow(0, 1, true)]
    [DataRow(1, 1, true)]
    [DataRow(0, 0, false)]
    public void One_of_two_terms_must_count(int first, int second, bool isAllowed)
    {
        PretrainingOptions[] methods =
        [
            new ContrastiveMaskedCellsTrainer.Options { InputColumnNames = ["a"], ContrastiveWeight = first, MaskedWeight = second },
            new ContrastiveMaskedTrainer.Options { ContrastiveWeight = first, MaskedWeight = second },
            new ContrastiveMaskedPatchesTrainer.Options { ContrastiveWeight = first, MaskedWeight = second },
            new TemporalContextualContrastTrainer.Options { TemporalWeight = first, ContextualWeight = second },
            new MaskedImageTextTrainer.Options { MaskedTextWeight = first, MaskedPatchesWeight = second, MatchingWeight = 0 },
            new MaskedImageTextTrainer.Options { MaskedTextWeight = first, MaskedPatchesWeight = 0, MatchingWeight = second },
            new MaskedImageTextTrainer.Options { MaskedTextWeight = 0, MaskedPatchesWeight = first, MatchingWeight = second },
        ];
        foreach (var options in methods)
        {
            var faults = Faults(options);
            Assert.AreEqual(isAllowed, faults.Length == 0, $"{options.GetType().FullName}: {faults}");
            if (!isAllowed)
                StringAssert.Contains(faults, "Weight", options.GetType().FullName);
        }
    }

    [TestMethod]
    [DataRow(64, 4, true)]
    [DataRow(12, 3, true)]
    [DataRow(4, 1, true)]
    [DataRow(62, 2, false)]
    [DataRow(64, 3, false)]
    [DataRow(0, 4, false)]
    public void The_decoder_of_the_masked_autoencoder_divides(int dimension, int heads, bool isAllowed)
    {
        var faults = Faults(new MaskedAutoencoderTrainer.Options { DecoderDimension = dimension, DecoderHeads = heads });
        if (isAllowed)
            Assert.AreEqual("", faults);
        else
            StringAssert.Contains(faults, $"DecoderDimension must be a multiple of 4 and of DecoderHeads {heads}, got {dimension}");
    }

    [TestMethod]
    public void The_fusion_encoder_divides_by_its_heads()
    {
        Assert.AreEqual("", Faults(new MaskedImageTextTrainer.Options { Dimension = 48, NumberOfHeads = 3 }));
        StringAssert.Contains(Faults(new MaskedImageTextTrainer.Options { Dimension = 48, NumberOfHeads = 5 }), "Dimension must be a multiple of NumberOfHeads 5, got 48");
        StringAssert.Contains(Faults(new MaskedImageTextTrainer.Options { Dimension = 48, NumberOfHeads = 0 }), "NumberOfHeads must be at least 1");
    }

    /// <summary>To stop early is to watch rows that are kept aside.</summary>
    [TestMethod]
    public void Patience_needs_rows_to_watch()
    {
        Assert.AreEqual("", Faults(new SimClrTrainer.Options { EarlyStoppingPatience = 2, ValidationFraction = 0.1 }));
        Assert.AreEqual("", Faults(new SimClrTrainer.Options { ValidationFraction = 0.1 }));
        StringAssert.Contains(Faults(new SimClrTrainer.Options { EarlyStoppingPatience = 2 }), "EarlyStoppingPatience must be null where ValidationFraction is 0");
    }

    /// <summary>Half of the digits are for encoders that say so: of a module of the user's own nobody knows.</summary>
    [TestMethod]
    public void Mixed_precision_is_for_encoders_that_can()
    {
        var own = ImageEncoders.OfModule("option-fault-test", 8, 1, 4, () => nn.Linear(4, 4));
        var known = ImageEncoders.SmallConvNet(8, 1, 2, 4);
        Assert.AreEqual("", Faults(new SimClrTrainer.Options { Encoder = own }));
        Assert.AreEqual("", Faults(new SimClrTrainer.Options { Encoder = known, MixedPrecision = true }));
        Assert.AreEqual("", Faults(new SimClrTrainer.Options { MixedPrecision = true }));
        StringAssert.Contains(Faults(new SimClrTrainer.Options { Encoder = own, MixedPrecision = true }), "MixedPrecision");
        Assert.AreEqual("", Faults(new ClipTrainer.Options { ImageEncoder = own }));
        Assert.AreEqual("", Faults(new ClipTrainer.Options { ImageEncoder = known, TextEncoder = TextEncoders.Bag(), MixedPrecision = true }));
        Assert.AreEqual("", Faults(new ClipTrainer.Options { MixedPrecision = true }));
        StringAssert.Contains(Faults(new ClipTrainer.Options { ImageEncoder = own, MixedPrecision = true }), "MixedPrecision");
    }

    [TestMethod]
    public void A_batch_is_as_large_as_the_method_needs()
    {
        foreach (var type in OptionsOf(typeof(PretrainingOptions)))
        {
            var options = (PretrainingOptions)Activator.CreateInstance(type)!;
            if (options is TabularPretrainingOptions table)
                table.InputColumnNames = ["a"];
            options.BatchSize = options.MinimumBatchSize;
            Assert.AreEqual("", Faults(options), type.FullName);
            options.BatchSize--;
            StringAssert.Contains(Faults(options), $"BatchSize must be at least {options.MinimumBatchSize}", type.FullName);
        }
    }
}
