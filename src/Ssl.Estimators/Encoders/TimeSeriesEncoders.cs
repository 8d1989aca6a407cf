using Ssl.Estimators.Encoders;

namespace Ssl.Estimators;

/// <summary>Encoders of time series, ready to be given to a trainer.</summary>
public static class TimeSeriesEncoders
{
    internal static class Defaults
    {
        internal const int EmbeddingDimension = 320;
        internal const int HiddenDimension = 64;
        internal const int Depth = 10;
        internal const double ConvolutionDropout = 0.1;
        internal const int PatchLength = 12;
        internal const int NumberOfLayers = 3;
        internal const int Dimension = 128;
        internal const int NumberOfHeads = 8;
        internal const double TransformerDropout = 0.1;
        internal const int PooledDimension = 128;
        internal const int NumberOfBlocks = 3;
        internal const int KernelSize = 8;
        internal const double PooledDropout = 0.35;
        internal const int SpectrogramDimension = 512;
        internal const int SpectrogramWidth = 32;
        internal const double SpectrogramDropout = 0.3;
        internal const int SoundDimension = 128;
        internal const int SoundWidth = 64;
        internal const int NumberOfConvolutions = 7;
        internal const bool InstanceNormalization = false;
        internal const bool ChannelIndependence = false;
    }

    /// <summary>Announces the encoders of this class to <see cref="EncoderFactory.FromJson"/>.</summary>
    internal static void RegisterAll()
    {
        EncoderFactory.Register(DilatedConvolutionEncoderFactory.KindName, DilatedConvolutionEncoderFactory.Read);
        EncoderFactory.Register(PooledConvolutionEncoderFactory.KindName, PooledConvolutionEncoderFactory.Read);
        EncoderFactory.Register(PatchTransformerEncoderFactory.KindName, PatchTransformerEncoderFactory.Read);
        EncoderFactory.Register(SpectrogramConvolutionEncoderFactory.KindName, SpectrogramConvolutionEncoderFactory.Read);
        EncoderFactory.Register(SeriesSummaryEncoderFactory.KindName, SeriesSummaryEncoderFactory.Read);
        EncoderFactory.Register(SoundTransformerEncoderFactory.KindName, SoundTransformerEncoderFactory.Read);
    }

    /// <summary>TS2Vec's network: dilated convolutions, a vector for every timestamp, and their maximum for the series.</summary>
    /// <param name="embeddingDimension">Length of an embedding. At least 1.</param>
    /// <param name="hiddenDimension">Width of the blocks before the last. At least 1.</param>
    /// <param name="depth">Blocks before the last; dilation doubles from each to the next. From 0 to 30.</param>
    /// <param name="dropout">Share of the embedding dropped in training. From 0 to less than 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public static TimeSeriesEncoderFactory DilatedConvolution(int embeddingDimension = Defaults.EmbeddingDimension,
        int hiddenDimension = Defaults.HiddenDimension, int depth = Defaults.Depth, double dropout = Defaults.ConvolutionDropout)
        => new DilatedConvolutionEncoderFactory(embeddingDimension, hiddenDimension, depth, dropout);

    /// <summary>
    /// TS-TCC's network: convolutions with a maximum over pairs behind each, a vector for every 2 ^ <paramref name="numberOfBlocks"/>
    /// timestamps, and their maximum for the series. Less than a tenth of the
    /// multiplications of <see cref="DilatedConvolution"/>; sees less far.
    /// </summary>
    /// <remarks>Eldele et al., 2021 (arXiv:2106.14112), as the authors set it for the recognition of activities.</remarks>
    /// <param name="embeddingDimension">Length of an embedding and width of the last block; each before is half as wide. At least
    /// 1.</param>
    /// <param name="numberOfBlocks">Blocks, each with half the steps of the one before; a series needs two steps, 16 timestamps for three
    /// blocks, to be learned from. From 1 to 16.</param>
    /// <param name="kernelSize">Steps that a convolution sees. At least 1.</param>
    /// <param name="dropout">Share dropped in training behind the first block. From 0 to less than 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public static TimeSeriesEncoderFactory PooledConvolution(int embeddingDimension = Defaults.PooledDimension,
        int numberOfBlocks = Defaults.NumberOfBlocks, int kernelSize = Defaults.KernelSize, double dropout = Defaults.PooledDropout)
        => new PooledConvolutionEncoderFactory(embeddingDimension, numberOfBlocks, kernelSize, dropout);

    /// <summary>
    /// PatchTST's transformer over patches of neighboring timestamps: a vector for every patch, and their maximum for the series.
    /// </summary>
    /// <remarks>
    /// Nie et al., 2023 (arXiv:2211.14730). The paper, whose aim is forecasting, has <paramref name="instanceNormalization"/> and
    /// <paramref name="channelIndependence"/> on; embeddings of series whose classes differ in loudness lose by it (docs/benchmarks.md).
    /// </remarks>
    /// <param name="patchLength">Timestamps of a patch. At least 1.</param>
    /// <param name="numberOfLayers">Blocks of attention and feed-forward network. At least 1.</param>
    /// <param name="dimension">Length of a patch's vector and, with the channels in one, of an embedding. A multiple of
    /// <paramref name="numberOfHeads"/>.</param>
    /// <param name="numberOfHeads">Attention heads. At least 1.</param>
    /// <param name="dropout">Share dropped in training behind every block. From 0 to less than 1.</param>
    /// <param name="instanceNormalization">Whether each channel of each series is brought to mean 0 and deviation 1 on its own, so that
    /// level
    /// and loudness of a series do not count: for series whose scale drifts.</param>
    /// <param name="channelIndependence">Whether the same weights look at each channel on its own; an embedding then holds
    /// <paramref name="dimension"/> numbers for every channel, one channel after the other. Else a patch holds all channels.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public static TimeSeriesEncoderFactory PatchTransformer(int patchLength = Defaults.PatchLength,
        int numberOfLayers = Defaults.NumberOfLayers, int dimension = Defaults.Dimension, int numberOfHeads = Defaults.NumberOfHeads,
        double dropout = Defaults.TransformerDropout, bool instanceNormalization = Defaults.InstanceNormalization,
        bool channelIndependence = Defaults.ChannelIndependence)
        => new PatchTransformerEncoderFactory(patchLength, numberOfLayers, dimension, numberOfHeads, dropout, instanceNormalization,
            channelIndependence);

    /// <summary>
    /// BYOL-A's network: three convolutions over frequencies and time, a maximum over two by two behind each, two layers over the bands, and
    /// the mean plus the maximum over time: a vector for every eight timestamps, one for the series.
    /// </summary>
    /// <remarks>
    /// Niizumi et al., 2021 (arXiv:2103.06695), where <paramref name="width"/> is 64 and <paramref name="embeddingDimension"/> 2,048. For series
    /// whose channels are neighbors, such as the bands of a spectrogram; they need 8 channels at least.
    /// </remarks>
    /// <param name="embeddingDimension">Length of an embedding. At least 1.</param>
    /// <param name="width">Maps of a convolution. At least 1.</param>
    /// <param name="dropout">Share dropped in training between the two layers. From 0 to less than 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public static TimeSeriesEncoderFactory SpectrogramConvolution(int embeddingDimension = Defaults.SpectrogramDimension,
        int width = Defaults.SpectrogramWidth, double dropout = Defaults.SpectrogramDropout)
        => new SpectrogramConvolutionEncoderFactory(embeddingDimension, width, dropout);

    /// <summary>
    /// wav2vec 2.0's network on the samples of a sound themselves: convolutions, a vector for every 5 x 2 ^ (<paramref name="numberOfConvolutions"/> - 1)
    /// samples, a transformer over them, and their maximum for the sound.
    /// </summary>
    /// <remarks>
    /// Baevski et al., 2020 (arXiv:2006.11477), where <paramref name="convolutionWidth"/> is 512, <paramref name="embeddingDimension"/> 768 and
    /// <paramref name="numberOfLayers"/> 12. The default step of 320 samples is 20 milliseconds of a sound of 16,000 samples a second; of 8,000 take six
    /// convolutions.
    /// </remarks>
    /// <param name="embeddingDimension">Length of a step's vector and of an embedding. A multiple of <paramref name="numberOfHeads"/>.</param>
    /// <param name="convolutionWidth">Channels of the convolutions. At least 1.</param>
    /// <param name="numberOfConvolutions">The first of a stride of 5, the others of 2. From 1 to 12.</param>
    /// <param name="numberOfLayers">Blocks of attention and feed-forward network. At least 1.</param>
    /// <param name="numberOfHeads">Attention heads. At least 1.</param>
    /// <param name="dropout">Share dropped in training behind every block. From 0 to less than 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public static TimeSeriesEncoderFactory SoundTransformer(int embeddingDimension = Defaults.SoundDimension, int convolutionWidth = Defaults.SoundWidth,
        int numberOfConvolutions = Defaults.NumberOfConvolutions, int numberOfLayers = Defaults.NumberOfLayers,
        int numberOfHeads = Defaults.NumberOfHeads, double dropout = Defaults.TransformerDropout)
        => new SoundTransformerEncoderFactory(embeddingDimension, convolutionWidth, numberOfConvolutions, numberOfLayers, numberOfHeads, dropout);
}
