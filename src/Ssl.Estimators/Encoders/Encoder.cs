using Ssl.Estimators.Encoders;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>A network that turns every sample of a batch into one vector. What is pretrained, saved and reused.</summary>
public abstract class Encoder : nn.Module<Batch, Tensor>
{
    /// <summary>An encoder of this name; the derived class registers its components.</summary>
    /// <param name="name">Name of the module.</param>
    protected Encoder(string name) : base(name)
    {
    }

    /// <summary>Length of an embedding.</summary>
    public abstract int EmbeddingDimension { get; }

    /// <summary>
    /// The encoder's blocks in their order from the input to the output, by how the names of their parameters begin ("encoder.layer.0").
    /// A parameter that no prefix fits belongs to the block of the parameter before it, the first ones to the first block. What
    /// fine-tuning of the last blocks only, or with a learning rate that falls from block to block, goes by.
    /// </summary>
    /// <value>
    /// Unless overridden, the modules that the encoder registered, in their order, as far as they have parameters; of a <c>ModuleList</c>
    /// its elements.
    /// </value>
    public virtual IReadOnlyList<string> Blocks => [.. named_children().SelectMany(Parts).Where(part => part.Module.parameters().Any())
        .Select(part => part.Name)];

    /// <summary>The blocks where one has several parts side by side: a prefix for each of them.</summary>
    internal virtual IReadOnlyList<IReadOnlyList<string>> BlockGroups => [.. Blocks.Select(block => (string[])[block])];

    private static IEnumerable<(string Name, nn.Module Module)> Parts((string Name, nn.Module Module) child)
        => child.Module.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(ModuleList<>)
            ? child.Module.named_children().Select(part => ($"{child.Name}.{part.name}", part.module)) : [child];
}

/// <summary>An encoder of one kind of batch.</summary>
/// <typeparam name="TBatch">The kind of batch.</typeparam>
public abstract class Encoder<TBatch> : Encoder where TBatch : Batch
{
    /// <inheritdoc cref="Encoder(string)"/>
    protected Encoder(string name) : base(name)
    {
    }

    /// <summary>Embeds a batch.</summary>
    /// <param name="input">A batch of the encoder's kind, on the encoder's device.</param>
    /// <returns>Embeddings [N, <see cref="Encoder.EmbeddingDimension"/>].</returns>
    /// <exception cref="ArgumentException">The batch is of another kind.</exception>
    public sealed override Tensor forward(Batch input)
    {
        if (input is not TBatch batch)
            throw new ArgumentException($"{GetName()} encodes a {typeof(TBatch).Name}, got {input?.GetType().Name ?? "null"}.", nameof(input));
        using var scope = NewDisposeScope();
        return MixedPrecision.Widen(Encode(batch)).MoveToOuterDisposeScope();
    }

    /// <summary>Embeds a batch: [N, <see cref="Encoder.EmbeddingDimension"/>].</summary>
    /// <param name="batch">On the encoder's device.</param>
    protected abstract Tensor Encode(TBatch batch);
}

/// <summary>An encoder of token sequences.</summary>
public abstract class TextEncoder : Encoder<TokenBatch>
{
    /// <inheritdoc cref="Encoder(string)"/>
    protected TextEncoder(string name) : base(name)
    {
    }

    /// <summary>Length of the vector of one token.</summary>
    public abstract int TokenDimension { get; }

    /// <summary>Whether a token's vector depends on the tokens around it; a masked language model can only learn where it does.</summary>
    public virtual bool IsContextual => true;

    /// <summary>A vector for every token, before pooling: [N, L, <see cref="TokenDimension"/>].</summary>
    /// <param name="batch">On the encoder's device.</param>
    public abstract Tensor EncodeTokens(TokenBatch batch);

    /// <summary>The token embeddings' weight [vocabulary, D]: what a masked language model ties its output to.</summary>
    public abstract Tensor TokenEmbeddings { get; }
}
