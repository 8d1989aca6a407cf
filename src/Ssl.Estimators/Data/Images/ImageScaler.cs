using Microsoft.ML.Data;

namespace Ssl.Estimators.Data;

/// <summary>
/// Brings images of any size and of any colors to the pixels of an encoder. Sizes: a triangle filter, as wide as the image shrinks (what
/// Pillow calls bilinear), each side on its own, so that proportions may change. Colors: three channels are red, green, blue; four have
/// alpha behind them; one is .299 red + .587 green + .114 blue. Not safe for several threads.
/// </summary>
internal sealed class ImageScaler(ImageShape shape)
{
    private float[] _rows = [];
    private Filter? _across, _down;

    /// <summary>Whether images can be brought to so many channels.</summary>
    public static bool CanMake(int channels) => channels is 1 or 3 or 4;

    /// <summary>Writes the pixels of an image, channel by channel.</summary>
    /// <param name="image">Not changed, not disposed of.</param>
    /// <param name="target">As long as an image of the encoder.</param>
    public void Write(MLImage image, Span<byte> target)
    {
        var (width, height) = (image.Width, image.Height);
        var pixels = image.Pixels;
        var (red, blue) = image.PixelFormat == MLPixelFormat.Bgra32 ? (2, 0) : (0, 2);
        if (_across is null || _across.Inputs != width)
            _across = new Filter(width, shape.Width);
        if (_down is null || _down.Inputs != height)
            _down = new Filter(height, shape.Height);

        // Across first: [source rows, channels, target columns].
        var line = shape.Channels * shape.Width;
        if (_rows.Length < height * line)
            _rows = new float[height * line];
        for (var y = 0; y < height; y++)
        {
            var row = pixels.Slice(y * width * 4, width * 4);
            for (var x = 0; x < shape.Width; x++)
            {
                var (first, weights) = _across[x];
                float r = 0, g = 0, b = 0, a = 0;
                for (var i = 0; i < weights.Length; i++)
                {
                    var pixel = row.Slice((first + i) * 4, 4);
                    r += weights[i] * pixel[red];
                    g += weights[i] * pixel[1];
                    b += weights[i] * pixel[blue];
                    a += weights[i] * pixel[3];
                }
                var at = y * line + x;
                if (shape.Channels == 1)
                {
                    _rows[at] = 0.299f * r + 0.587f * g + 0.114f * b;
                    continue;
                }
                (_rows[at], _rows[at + shape.Width], _rows[at + 2 * shape.Width]) = (r, g, b);
                if (shape.Channels == 4)
                    _rows[at + 3 * shape.Width] = a;
            }
        }
        for (var y = 0; y < shape.Height; y++)
        {
            var (first, weights) = _down[y];
            for (var i = 0; i < line; i++)
            {
                var sum = 0f;
                for (var k = 0; k < weights.Length; k++)
                    sum += weights[k] * _rows[(first + k) * line + i];
                var (channel, x) = (i / shape.Width, i % shape.Width);
                target[(channel * shape.Height + y) * shape.Width + x] = (byte)(Math.Clamp(sum, 0, 255) + 0.5f);
            }
        }
    }

    /// <summary>For each target pixel of a side, where its source pixels begin and what each counts; the weights of one sum to 1.</summary>
    private sealed class Filter
    {
        private readonly (int First, float[] Weights)[] _pixels;

        public Filter(int inputs, int outputs)
        {
            Inputs = inputs;
            var scale = (double)inputs / outputs;
            var reach = Math.Max(1, scale);
            _pixels = [.. Enumerable.Range(0, outputs).Select(output =>
            {
                var middle = (output + 0.5) * scale;
                var first = Math.Max(0, (int)Math.Round(middle - reach, MidpointRounding.AwayFromZero));
                var last = Math.Min(inputs, (int)Math.Round(middle + reach, MidpointRounding.AwayFromZero));
                var raw = Enumerable.Range(first, last - first).Select(i => Math.Max(0, 1 - Math.Abs((i + 0.5 - middle) / reach)))
                    .ToArray();
                var sum = raw.Sum();
                return (first, raw.Select(weight => (float)(weight / sum)).ToArray());
            })];
        }

        public int Inputs { get; }

        public (int First, float[] Weights) this[int output] => _pixels[output];
    }
}
