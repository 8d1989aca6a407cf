using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Downstream;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>
    /// Finds hard negatives for a further round of contrastive training: for each row, the text of another row that the encoder takes for
    /// its partner, or nearly so. Give the new column to <c>PairedContrastiveTrainer.Options.NegativeColumnName</c>.
    /// </summary>
    /// <param name="data">Pairs with both sides embedded, as two <see cref="Embed"/> stages give them; read twice, and again whenever the
    /// result is read, always in the same order.</param>
    /// <param name="anchorColumnName">Name of the column with the anchors' vectors: known-size, of <see cref="float"/>.</param>
    /// <param name="positiveColumnName">Name of the column with their partners' vectors, of the same encoder.</param>
    /// <param name="textColumnName">Name of the text column of the partners: where the negatives are taken from.</param>
    /// <param name="negativeColumnName">Name of the new text column.</param>
    /// <param name="numberOfNegatives">Negatives a row: a row comes out once for each. At least 1.</param>
    /// <param name="margin">How far, in cosine, a negative must at least stay below the row's own partner. From 0 to 2.</param>
    /// <returns>The rows that have hard negatives, in their order, with all their columns and the new one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range, or a column is missing or has another
    /// type.</exception>
    /// <exception cref="InvalidOperationException">There are fewer than two usable rows, or no row has a hard negative.</exception>
    public IDataView MineHardNegatives(
        IDataView data,
        string anchorColumnName,
        string positiveColumnName,
        string textColumnName,
        string negativeColumnName = HardNegativeOptions.Defaults.NegativeColumnName,
        int numberOfNegatives = HardNegativeOptions.Defaults.NumberOfNegatives,
        double margin = HardNegativeOptions.Defaults.Margin)
        => MineHardNegatives(data, new HardNegativeOptions
        {
            AnchorColumnName = anchorColumnName,
            PositiveColumnName = positiveColumnName,
            TextColumnName = textColumnName,
            NegativeColumnName = negativeColumnName,
            NumberOfNegatives = numberOfNegatives,
            Margin = margin,
        });

    /// <inheritdoc cref="MineHardNegatives(IDataView, string, string, string, string, int, double)" path="/*[not(self::param)]"/>
    /// <param name="data">Pairs with both sides embedded.</param>
    /// <param name="options">All settings.</param>
    public IDataView MineHardNegatives(IDataView data, HardNegativeOptions options) => HardNegativeMiner.Mine(_mlContext, data, options);
}
