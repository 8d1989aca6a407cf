using System.ComponentModel;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Data;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>Pretraining methods for tables. Each has a short form and one that takes all its options.</summary>
    /// <remarks>
    /// The columns are given as they are: numbers of any type, booleans, texts and keys as categories, known-size vectors; a
    /// <c>DataFrame</c> is such data, too.
    /// </remarks>
    public sealed class TabularMethods
    {
        private readonly MLContext _mlContext;

        internal TabularMethods(MLContext mlContext) => _mlContext = mlContext;

        /// <summary>The context, for entries of other assemblies, which are extension methods of this group.</summary>
        [EditorBrowsable(EditorBrowsableState.Advanced)]
        public MLContext Context => _mlContext;

        /// <summary>
        /// Pretrains with SCARF: a row and its copy with most cells replaced attract each other, the batch repels. The first to try.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnNames">
        /// Names of the columns to learn from and, later, to embed. At least one. The encoder is <see cref="TabularEncoders.Mlp"/>.
        /// </param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public ScarfTrainer Scarf(string outputColumnName = ColumnNames.Features, params string[] inputColumnNames)
            => Scarf(new ScarfTrainer.Options { OutputColumnName = outputColumnName, InputColumnNames = inputColumnNames });

        /// <inheritdoc cref="Scarf(string, string[])"/>
        /// <param name="options">All settings of the method.</param>
        public ScarfTrainer Scarf(ScarfTrainer.Options options) => new(_mlContext, options);

        /// <summary>Pretrains with VIME: which cells of a row were replaced, and what had they been?</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnNames">
        /// Names of the columns to learn from and, later, to embed. At least one. The encoder is <see cref="TabularEncoders.Mlp"/>.
        /// </param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public VimeTrainer Vime(string outputColumnName = ColumnNames.Features, params string[] inputColumnNames)
            => Vime(new VimeTrainer.Options { OutputColumnName = outputColumnName, InputColumnNames = inputColumnNames });

        /// <inheritdoc cref="Vime(string, string[])"/>
        /// <param name="options">All settings of the method.</param>
        public VimeTrainer Vime(VimeTrainer.Options options) => new(_mlContext, options);

        /// <summary>Pretrains with SubTab: overlapping subsets of the columns tell the whole row and attract each other.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnNames">
        /// Names of the columns to learn from and, later, to embed. At least one. The encoder is <see cref="TabularEncoders.Mlp"/>.
        /// </param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public SubTabTrainer SubTab(string outputColumnName = ColumnNames.Features, params string[] inputColumnNames)
            => SubTab(new SubTabTrainer.Options { OutputColumnName = outputColumnName, InputColumnNames = inputColumnNames });

        /// <inheritdoc cref="SubTab(string, string[])"/>
        /// <param name="options">All settings of the method.</param>
        public SubTabTrainer SubTab(SubTabTrainer.Options options) => new(_mlContext, options);

        /// <summary>Pretrains a denoising autoencoder: some cells are replaced by those of other rows, and the clean row is told.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnNames">
        /// Names of the columns to learn from and, later, to embed. At least one. The encoder is <see cref="TabularEncoders.Mlp"/>.
        /// </param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public DenoisingAutoencoderTrainer DenoisingAutoencoder(
            string outputColumnName = ColumnNames.Features, params string[] inputColumnNames)
            => DenoisingAutoencoder(new DenoisingAutoencoderTrainer.Options { OutputColumnName = outputColumnName,
                InputColumnNames = inputColumnNames });

        /// <inheritdoc cref="DenoisingAutoencoder(string, string[])"/>
        /// <param name="options">All settings of the method.</param>
        public DenoisingAutoencoderTrainer DenoisingAutoencoder(DenoisingAutoencoderTrainer.Options options) => new(_mlContext, options);

        /// <summary>Pretrains a column transformer with masked cells: some cells are hidden and told from the others.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnNames">
        /// Names of the columns to learn from and, later, to embed. At least one. The encoder is
        /// <see cref="TabularEncoders.ColumnTransformer"/>.
        /// </param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public MaskedCellsTrainer MaskedCells(string outputColumnName = ColumnNames.Features, params string[] inputColumnNames)
            => MaskedCells(new MaskedCellsTrainer.Options { OutputColumnName = outputColumnName, InputColumnNames = inputColumnNames });

        /// <inheritdoc cref="MaskedCells(string, string[])"/>
        /// <param name="options">All settings of the method.</param>
        public MaskedCellsTrainer MaskedCells(MaskedCellsTrainer.Options options) => new(_mlContext, options);

        /// <summary>Pretrains with the hybrid: SCARF's contrast and masked cells in one step.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnNames">
        /// Names of the columns to learn from and, later, to embed. At least one. The encoder is <see cref="TabularEncoders.Mlp"/>.
        /// </param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public ContrastiveMaskedCellsTrainer ContrastiveMaskedCells(
            string outputColumnName = ColumnNames.Features, params string[] inputColumnNames)
            => ContrastiveMaskedCells(new ContrastiveMaskedCellsTrainer.Options { OutputColumnName = outputColumnName,
                InputColumnNames = inputColumnNames });

        /// <inheritdoc cref="ContrastiveMaskedCells(string, string[])"/>
        /// <param name="options">All settings of the method.</param>
        public ContrastiveMaskedCellsTrainer ContrastiveMaskedCells(ContrastiveMaskedCellsTrainer.Options options)
            => new(_mlContext, options);
    }
}
