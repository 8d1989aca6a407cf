using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains a denoising autoencoder on table rows: some cells are replaced by those of other rows, and the clean row is told.
/// </summary>
/// <remarks>
/// Vincent et al., 2008, with swap noise (Jahrer, 2017): squared error of scaled numbers, cross entropy of categories, over all cells.
/// Deviation: the embedding is the encoder's last layer, not all its layers. N rows.
/// </remarks>
/// <seealso cref="MaskedCellsTrainer"/>
public sealed class DenoisingAutoencoderTrainer : TabularPretrainingTrainer
{
    internal DenoisingAutoencoderTrainer(MLContext mlContext, Options options) : base(mlContext, options, TabularEncoders.Mlp())
    {
    }

    /// <summary>Settings of <see cref="DenoisingAutoencoderTrainer"/>.</summary>
    public sealed class Options : TabularPretrainingOptions
    {
        /// <summary>Share of the cells of a row that are replaced. In (0, 1).</summary>
        /// <value>The default value is 0.2.</value>
        [OptionRange(Above = 0, Below = 1)]
        public float SwapRate { get; set; } = 0.2f;
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TabularEncoder encoder, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // A denoising autoencoder with swap noise: some cells are replaced by those of other rows, and all cells of the clean row are told
    // from the embedding.
    internal sealed class Method : PretrainingMethod, IReconstructsCells
    {
        [ComponentName(Name = "encoder")]
        private readonly TabularEncoder _encoder;

        [ComponentName(Name = "cells")]
        private readonly CellHead _head;

        private readonly MarginalSwap _noise;
        private readonly RandomStreams _streams;
        private readonly Options _options;

        public Method(TabularEncoder encoder, RandomStreams streams, Options options) : base("DenoisingAutoencoder", encoder)
        {
            _options = options;
            _encoder = encoder;
            _noise = new MarginalSwap(options.SwapRate);
            _head = CellHead.Create(encoder, streams);
            _streams = streams;
            RegisterComponents();
        }

        CellHead IReconstructsCells.Head => _head;

        double? IReconstructsCells.HiddenShare => null;

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var rows = Column<TableBatch>(columns);
            var (embeddings, cells) = _head.Run(_encoder, _noise.Apply(rows, _streams.Views));
            var sums = CellSums.Of(cells, rows, rows.Missing.logical_not(), rows.MissingCodes.logical_not());
            return new StepLoss(_head.Loss(sums), sums.Figures(_encoder.Layout), embeddings.detach());
        }
    }
}
