using System.Collections.Concurrent;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators;

// Embeddings of texts and images without a view.
public sealed partial class EncoderTransformer
{
    // Memory for rows, which a call leaves to the next one: as many as there were callers at once.
    private readonly ConcurrentStack<DirectRows> _directRows = new();

    /// <summary>
    /// The embedding of a text, without a view or an <see cref="MLContext"/> at hand: what <see cref="Transform"/> gives a row of this text. Any
    /// number of threads may ask at once.
    /// </summary>
    /// <param name="text">The text; may be empty.</param>
    /// <returns><see cref="EmbeddingDimension"/> numbers.</returns>
    /// <exception cref="InvalidOperationException">The encoder reads something else than a column of texts.</exception>
    /// <exception cref="ObjectDisposedException">The encoder was disposed of.</exception>
    public float[] Embed(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Embed(text.AsSpan());
    }

    /// <summary>The embedding of a text that is a part of another one, or in a buffer.</summary>
    /// <inheritdoc cref="Embed(string)"/>
    public float[] Embed(ReadOnlySpan<char> text)
    {
        var embedding = new float[EmbeddingDimension];
        Embed(text, embedding);
        return embedding;
    }

    /// <summary>Writes the embedding of a text into memory of the caller.</summary>
    /// <param name="text">The text; may be empty.</param>
    /// <param name="destination">Takes <see cref="EmbeddingDimension"/> numbers; what is behind them stays as it is.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter; nothing is written.</exception>
    /// <exception cref="InvalidOperationException">The encoder reads something else than a column of texts.</exception>
    /// <exception cref="ObjectDisposedException">The encoder was disposed of.</exception>
    public void Embed(ReadOnlySpan<char> text, Span<float> destination)
    {
        Require(RefusalOfTexts());
        if (destination.Length < EmbeddingDimension)
        {
            throw new ArgumentException($"The destination has room for {destination.Length} numbers, and an embedding has {EmbeddingDimension}.",
                nameof(destination));
        }
        var rows = TakeRows();
        rows.Add(text);
        _model.Truncation.Add(rows.Store.TakeTruncation());
        _model.Embed(rows.Store, destination[..EmbeddingDimension]);
        LeaveRows(rows);
    }

    /// <summary>The embeddings of texts, which are computed together and faster than one by one.</summary>
    /// <inheritdoc cref="Embed(string)"/>
    /// <param name="texts">The texts, none of them null; read one by one, while the first ones are computed already.</param>
    /// <returns>An embedding for each text, in their order.</returns>
    public IReadOnlyList<float[]> Embed(IEnumerable<string> texts) => Embed(texts, out _);

    /// <summary>
    /// The embedding of an image of any size, without a view or an <see cref="MLContext"/> at hand: what <see cref="Transform"/> gives a row with
    /// this image, which is brought to the encoder's size and colors. Any number of threads may ask at once.
    /// </summary>
    /// <param name="image">The image; neither changed nor disposed of.</param>
    /// <returns><see cref="EmbeddingDimension"/> numbers.</returns>
    /// <exception cref="ArgumentException">It has more pixels than can be read, or was read from a file that is cut off.</exception>
    /// <exception cref="InvalidOperationException">The encoder reads something else than a column of images, or images of channels that these do
    /// not give.</exception>
    /// <exception cref="ObjectDisposedException">The encoder was disposed of.</exception>
    public float[] Embed(MLImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Embed([image], nameof(image))[0];
    }

    /// <summary>The embeddings of images, which are computed together and faster than one by one.</summary>
    /// <inheritdoc cref="Embed(MLImage)"/>
    /// <param name="images">The images, none of them null, of any sizes. Read one by one: each may be disposed of when the next one is asked
    /// for.</param>
    /// <returns>An embedding for each image, in their order.</returns>
    public IReadOnlyList<float[]> Embed(IEnumerable<MLImage> images) => Embed(images, nameof(images));

    /// <summary>The same, with how many tokens the texts have and lost.</summary>
    internal IReadOnlyList<float[]> Embed(IEnumerable<string> texts, out TruncationCounts counts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        Require(RefusalOfTexts());
        return EmbedAll(texts, static (rows, text, number) => rows.Add(text ?? throw new ArgumentException(
            $"Text {number} is null; give an empty text where there is none.", nameof(texts))), out counts);
    }

    /// <summary>Why the encoder embeds no texts; null where it does.</summary>
    /// <param name="encoder">What it is called in the sentence.</param>
    internal string? RefusalOfTexts(string encoder = "This encoder") => _model.Format is TextRowFormat ? null : Refusal(encoder, "texts");

    /// <summary>Why the encoder embeds no images; null where it does.</summary>
    /// <inheritdoc cref="RefusalOfTexts"/>
    internal string? RefusalOfImages(string encoder = "This encoder")
        => _model.Format is not ImageRowFormat { Factory.Shape.Channels: var channels } ? Refusal(encoder, "images")
        : ImageScaler.CanMake(channels) ? null
        : $"{encoder} reads vectors of pixels of {channels} channels, and images give 1 (gray), 3 (red, green, blue) or 4 (and alpha). Give its "
            + "rows to Transform or to a PredictionEngine.";

    private string Refusal(string encoder, string what)
        => $"{encoder} is one of kind '{_model.Modality}', which reads {string.Join(", ", InputColumnNames.Select(name => $"'{name}'"))}, and embeds "
            + $"no {what} alone. Give its rows to Transform or to a PredictionEngine.";

    private IReadOnlyList<float[]> Embed(IEnumerable<MLImage> images, string parameter)
    {
        ArgumentNullException.ThrowIfNull(images, parameter);
        Require(RefusalOfImages());
        return EmbedAll(images, (rows, image, number) =>
        {
            if (image is null)
                throw new ArgumentException($"Image {number} is null; leave it out.", parameter);
            if (rows.Add(image) is { } fault)
                throw new ArgumentException($"Image {number} cannot be embedded: {fault}. Repair or remove it.", parameter);
        }, out _);
    }

    // Batches of the size of Transform's: they are computed as those are.
    private List<float[]> EmbedAll<T>(IEnumerable<T> items, Action<DirectRows, T, int> add, out TruncationCounts counts)
    {
        var embeddings = new List<float[]>();
        var lost = TruncationCounts.None;
        var rows = TakeRows();
        foreach (var item in items)
        {
            add(rows, item, embeddings.Count + rows.Store.Count);
            if (rows.Store.Count == BatchSize)
                Compute();
        }
        Compute();
        LeaveRows(rows);
        counts = lost;
        return embeddings;

        void Compute()
        {
            var batch = rows.Store.TakeTruncation();
            _model.Truncation.Add(batch);
            lost = lost.Plus(batch);
            var numbers = new float[rows.Store.Count * EmbeddingDimension];
            _model.Embed(rows.Store, numbers);
            embeddings.AddRange(numbers.Chunk(EmbeddingDimension));
            rows.Clear();
        }
    }

    private void Require(string? refusal)
    {
        if (refusal is not null)
            throw new InvalidOperationException(refusal);
        _model.Lifetime.ThrowIfClosed();
    }

    private DirectRows TakeRows() => _directRows.TryPop(out var rows) ? rows : new DirectRows(_model.Format);

    // Not after a fault: what is half filled goes to the collector.
    private void LeaveRows(DirectRows rows)
    {
        rows.Clear();
        if (rows.IsSmall)
            _directRows.Push(rows);
    }
}
