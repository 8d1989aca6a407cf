using System.Reflection;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;

namespace Ssl.Estimators.Tests.Methods;

/// <summary>Every encoder and every pretraining method of the assembly, small: a new one is in without a word here.</summary>
internal static class AllMethods
{
    private static readonly TokenVocabulary s_vocabulary = new(40, 0, 1, 2, 3, 4, 5);
    private static readonly ImageEncoderFactory s_vision = ImageEncoders.VisionTransformer(12, 4, 3, numberOfLayers: 1, dimension: 16,
        numberOfHeads: 2);

    /// <summary>The encoders by their names.</summary>
    public static readonly IReadOnlyDictionary<string, Func<RandomStreams, Encoder>> Encoders
        = new Dictionary<string, Func<RandomStreams, Encoder>>
        {
            ["text.bag"] = streams => TextEncoders.Bag(8, 8, 8).Create(s_vocabulary, streams),
            ["text.transformer"] = streams => TextEncoders.Transformer(1, 8, 2, maximumTokens: 8).Create(s_vocabulary, streams),
            ["table.mlp"] = streams => TabularEncoders.Mlp(2, 8).Create(TableBatches.Layout, streams),
            ["table.residual"] = streams => TabularEncoders.ResidualMlp(1, 8, NumericEmbedding.PiecewiseLinear, 4)
                .Create(TableBatches.Layout, streams),
            ["table.residual.periodic"] = streams => TabularEncoders.ResidualMlp(1, 8, NumericEmbedding.Periodic, 4)
                .Create(TableBatches.Layout, streams),
            ["table.transformer"] = streams => TabularEncoders.ColumnTransformer(1, 8, 2).Create(TableBatches.Layout, streams),
            ["image.convnet"] = ImageEncoders.SmallConvNet(imageSize: 12, channels: 3, numberOfStages: 2, width: 4).Create,
            ["image.resnet18"] = streams => new ResNetEncoderFactory(new ImageShape(3, 12, 12), 18, 4, ImageStem.Small).Create(streams),
            ["image.resnet50"] = streams => new ResNetEncoderFactory(new ImageShape(3, 12, 12), 50, 4, ImageStem.Small).Create(streams),
            ["image.vit"] = s_vision.Create,
            ["image-text.towers"] = streams => new TwoTowerEncoder(
                (ProjectedImageEncoder)ProjectedImageEncoderFactory.Of(ImageEncoders.SmallConvNet(imageSize: 12, channels: 3, numberOfStages: 2, width: 4), 8).Create(streams),
                (ProjectedTextEncoder)new ProjectedTextEncoderFactory(TextEncoders.Bag(8, 8, 8), 8).Create(s_vocabulary, streams)),
            ["image-text.fusion"] = streams => new FusionEncoder((PatchEncoder)s_vision.Create(streams),
                TextEncoders.Transformer(1, 8, 2, maximumTokens: 8).Create(s_vocabulary, streams), new FusionNetwork(1, 8, 2, 0.1), streams),
            ["series.dilated"] = streams => TimeSeriesEncoders.DilatedConvolution(8, 8, 2).Create(new SeriesLayout(2, null), streams),
            ["series.pooled"] = streams => TimeSeriesEncoders.PooledConvolution(8).Create(new SeriesLayout(2, null), streams),
            ["series.spectrogram"] = streams => TimeSeriesEncoders.SpectrogramConvolution(8, 4).Create(new SeriesLayout(8, null), streams),
            ["series.sound"] = streams => TimeSeriesEncoders.SoundTransformer(8, 4, 1, 1, 2).Create(new SeriesLayout(2, null), streams),
            ["series.patches"] = streams => TimeSeriesEncoders.PatchTransformer(4, 1, 8, 2).Create(new SeriesLayout(2, 24), streams),
        };

    /// <summary>Every method that can be made.</summary>
    public static IReadOnlyList<Type> Methods { get; } = [.. typeof(PretrainingMethod).Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(typeof(PretrainingMethod)) && !type.IsAbstract)];

    /// <summary>
    /// A method with each encoder of <see cref="Encoders"/> that its public constructors take; optional parameters as they are.
    /// </summary>
    /// <returns>One at least; the caller disposes of them.</returns>
    public static IEnumerable<(string Name, PretrainingMethod Method)> Make(Type method, RandomStreams streams)
    {
        foreach (var constructor in method.GetConstructors())
        {
            var parameters = constructor.GetParameters();
            foreach (var (name, create) in Encoders)
            {
                PretrainingMethod made;
                try
                {
                    made = (PretrainingMethod)constructor.Invoke([.. parameters.Select(p => Argument(p, create, streams))]);
                }
                catch (TargetInvocationException refused) when (refused.InnerException is ArgumentException or InvalidOperationException)
                {
                    continue; // this encoder is not for this method
                }
                catch (ArgumentException)
                {
                    continue; // it is of another kind of data
                }
                yield return ($"{method.DeclaringType?.Name ?? method.Name} on {name}", made);
            }
        }
    }

    private static object? Argument(ParameterInfo parameter, Func<RandomStreams, Encoder> create, RandomStreams streams)
        => parameter.ParameterType switch
        {
            var type when type.IsAssignableTo(typeof(Encoder)) => create(streams),
            var type when type == typeof(RandomStreams) => streams,
            var type when type == typeof(TokenVocabulary) => s_vocabulary,
            var type when type == typeof(PredictionHead) => new PredictionHead(8, 4, 3, streams),
            var type when type == typeof(EncoderTuning) => EncoderTuning.Full,
            var type when type == typeof(float[]) => new float[] { 1, 2, 3 },
            var type when type.IsAssignableTo(typeof(PretrainingOptions)) => Activator.CreateInstance(type),
            _ when parameter.HasDefaultValue => parameter.DefaultValue,
            _ => null,
        };
}
