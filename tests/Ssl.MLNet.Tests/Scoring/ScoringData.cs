using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Scoring;

/// <summary>Small encoders and engines on them.</summary>
internal static class ScoringData
{
    public static EncoderTransformer Encoder(MLContext mlContext, int rows = 96)
        => mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            Encoder = TextEncoders.Bag(embeddingDimension: 8), NumberOfEpochs = 0,
        }).Fit(ContractData.View(mlContext, rows));

    public static PredictionEngine<TextRow, Embedded> Engine(MLContext mlContext, ITransformer model)
        => mlContext.Model.CreatePredictionEngine<TextRow, Embedded>(model);

    public static float[][] Embeddings(IDataView view) => [.. view.GetColumn<float[]>("Features")];

    internal sealed class Embedded
    {
        public float[] Features { get; set; } = [];
    }
}
