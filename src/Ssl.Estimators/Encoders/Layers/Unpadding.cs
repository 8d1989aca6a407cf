using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// Sequences without their padding. Norms and products look at every token alone, so between attentions the padding need not be there; in
/// attention, sequences of similar length are padded to each other only. A batch in which one text is much longer than the others then costs
/// what its tokens do. Lives in the dispose scope in which it is made.
/// </summary>
internal sealed class Unpadding
{
    // Taking the padding out and in again costs a copy each.
    private const double MostTokens = 0.9;

    // The longest of a group has at most so many times the tokens of its shortest.
    private const double LengthRatio = 1.5;

    private readonly Tensor _places;
    private readonly Group[] _groups;
    private readonly long _sequences, _length;

    private Unpadding(Tensor places, Group[] groups, long sequences, long length)
        => (_places, _groups, _sequences, _length) = (places, groups, sequences, length);

    /// <summary>Null where it does not pay: there is hardly any padding, or another device than the CPU, which would have to wait for the count.</summary>
    /// <param name="mask">Bool [N, L], true where there is a token; null where all places are.</param>
    public static Unpadding? Of(Tensor? mask)
    {
        if (mask is null || mask.device.type != TorchSharp.DeviceType.CPU)
            return null;
        using var scope = NewDisposeScope();
        var (sequences, length) = (mask.shape[0], (int)mask.shape[1]);
        var cells = mask.contiguous().bytes;
        var tokens = 0;
        foreach (var cell in cells)
            tokens += cell;
        if (tokens > MostTokens * cells.Length || tokens == 0)
            return null;
        var lengths = new int[sequences];
        for (var i = 0; i < lengths.Length; i++)
        {
            foreach (var cell in cells.Slice(i * length, length))
                lengths[i] += cell;
        }
        int[] order = [.. Enumerable.Range(0, lengths.Length).Where(i => lengths[i] > 0).OrderBy(i => lengths[i])];
        var places = new long[tokens];
        var next = 0;
        foreach (var i in order)
        {
            for (var place = 0; place < length; place++)
            {
                if (cells[i * length + place] != 0)
                    places[next++] = (long)i * length + place;
            }
        }
        var groups = new List<Group>();
        for (int first = 0, end; first < order.Length; first = end)
        {
            end = first + 1;
            while (end < order.Length && lengths[order[end]] <= LengthRatio * lengths[order[first]])
                end++;
            groups.Add(Group.Of([.. order[first..end].Select(i => lengths[i])]));
        }
        foreach (var group in groups)
            group.MoveToOuterDisposeScope();
        return new Unpadding(tensor(places, device: CPU).MoveToOuterDisposeScope(), [.. groups], sequences, length);
    }

    /// <summary>The tokens behind each other, the shortest sequence first: [T, D].</summary>
    /// <param name="padded">[N, L, D].</param>
    public Tensor Take(Tensor padded) => padded.reshape(_sequences * _length, -1).index_select(0, _places);

    /// <summary>The tokens in their places and zeros in the others: [N, L, D].</summary>
    /// <param name="tokens">[T, D].</param>
    public Tensor Put(Tensor tokens) => Group.Spread(tokens, _places, _sequences, _length);

    /// <summary>What each token takes from those of its sequence: [T, D].</summary>
    /// <param name="queriesKeysValues">[T, 3 D].</param>
    /// <param name="heads">Attention heads.</param>
    public Tensor Attend(Tensor queriesKeysValues, int heads)
    {
        using var scope = NewDisposeScope();
        var parts = new Tensor[_groups.Length];
        var first = 0L;
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = _groups[i].Attend(queriesKeysValues.narrow(0, first, _groups[i].Tokens), heads);
            first += _groups[i].Tokens;
        }
        return (parts.Length == 1 ? parts[0] : cat(parts)).MoveToOuterDisposeScope();
    }

    // Sequences of similar length, behind each other. Places, mask: null where all have the same.
    private sealed record Group(long Sequences, long Length, long Tokens, Tensor? Places, Tensor? Mask)
    {
        public static Group Of(int[] lengths)
        {
            var (longest, tokens) = (lengths[^1], lengths.Sum());
            if (tokens == longest * lengths.Length)
                return new Group(lengths.Length, longest, tokens, null, null);
            var (places, mask, next) = (new long[tokens], new bool[lengths.Length * longest], 0);
            for (var i = 0; i < lengths.Length; i++)
            {
                for (var place = 0; place < lengths[i]; place++)
                {
                    places[next++] = (long)i * longest + place;
                    mask[i * longest + place] = true;
                }
            }
            return new Group(lengths.Length, longest, tokens, tensor(places, device: CPU), tensor(mask, device: CPU).view(lengths.Length, 1, 1, longest));
        }

        public void MoveToOuterDisposeScope()
        {
            Places?.MoveToOuterDisposeScope();
            Mask?.MoveToOuterDisposeScope();
        }

        public Tensor Attend(Tensor tokens, int heads)
        {
            if (Places is null)
                return HeadAttention.Compute(tokens.view(Sequences, Length, -1), heads, null).view(Tokens, -1);
            return HeadAttention.Compute(Spread(tokens, Places, Sequences, Length), heads, Mask).view(Sequences * Length, -1).index_select(0, Places);
        }

        public static Tensor Spread(Tensor tokens, Tensor places, long sequences, long length)
        {
            using var scope = NewDisposeScope();
            var width = tokens.shape[1];
            return zeros(sequences * length, width, tokens.dtype, tokens.device).index_copy(0, places, tokens).view(sequences, length, width).MoveToOuterDisposeScope();
        }
    }
}
