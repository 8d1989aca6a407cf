using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Persistence;

/// <summary>Puts batched transformers in the place of the carrier chains of a loaded model.</summary>
internal static class Rehydration
{
    /// <summary>Walks a model and replaces its carrier chains.</summary>
    /// <param name="model">A loaded model.</param>
    /// <param name="create">Makes a transformer of a carried archive; it reads the archive to its end.</param>
    /// <returns>A model with the same outputs; <paramref name="model"/> itself where it carries nothing.</returns>
    public static ITransformer Rehydrate(ITransformer model, Func<ArchiveManifest, SafeTensorsReader, ITransformer> create)
    {
        if (model is not IEnumerable<ITransformer> chain)
        {
            return model;
        }

        var parts = chain.ToArray();
        if (parts is [CustomMappingTransformer<NoInput, KeyOutput>, ..])
        {
            return CarrierState.Decode(StateOf(parts), stream =>
            {
                var (manifest, tensors) = ModelArchive.Open(stream);
                return create(manifest, tensors);
            });
        }

        var replaced = parts.Select(part => Rehydrate(part, create)).ToArray();
        return replaced.SequenceEqual(parts) ? model
            : new TransformerChain<ITransformer>(replaced, parts.Select(part => ScopeOf(model, part)));
    }

    // The chain makes its state of nothing: run it on a row without meaning until the state is there.
    private static ReadOnlyMemory<char>[] StateOf(ITransformer[] parts)
    {
        IDataView view = new MLContext().Data.LoadFromEnumerable([new KeyOutput()]);
        foreach (var part in parts)
        {
            view = part.Transform(view);
            if (view.Schema.GetColumnOrNull(CarrierColumns.State) is { } column)
            {
                using var cursor = view.GetRowCursor([column]);
                cursor.MoveNext();
                VBuffer<ReadOnlyMemory<char>> state = default;
                cursor.GetGetter<VBuffer<ReadOnlyMemory<char>>>(column)(ref state);
                return [.. state.DenseValues()];
            }
        }

        throw new FormatException("The saved model is damaged: a carrier chain without state.");
    }

    private static TransformerScope ScopeOf(ITransformer model, ITransformer part)
    {
        if (model is not TransformerChain<ITransformer> chain)
        {
            return TransformerScope.Everything;
        }

        return new[] { TransformerScope.Training, TransformerScope.Testing, TransformerScope.Scoring }
            .Where(scope => chain.GetModelFor(scope).Contains(part))
            .Aggregate(TransformerScope.None, (all, scope) => all | scope);
    }
}
