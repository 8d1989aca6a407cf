using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Methods;

/// <summary>How a column of images is read in training: what a white pixel is, and what becomes of images that cannot be decoded.</summary>
internal static class ImageColumnReading
{
    // Warnings that name an image; a folder of wrong files shall not flood the log.
    private const int NamedImages = 20;

    /// <summary>Throws unless a column holds images that can be read with these settings.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="shape">What it is.</param>
    /// <param name="images">The images that the encoder takes; null where it is made for those that come.</param>
    /// <param name="pixelMaximum">The value of a white pixel as it was stated.</param>
    public static void Check(string name, ColumnShape shape, ImageShape? images, float? pixelMaximum)
    {
        PixelColumn.Check(name, shape, images);
        if (shape.ItemType == NumberDataViewType.Byte && pixelMaximum is not (null or ImagePretrainingOptions.PixelMaximumOfBytes))
        {
            throw new ArgumentOutOfRangeException(nameof(ImagePretrainingOptions.PixelMaximum),
                $"PixelMaximum must be 255 for a column of Byte such as '{name}', got {pixelMaximum}.");
        }
    }

    /// <summary>The format of the column.</summary>
    /// <param name="input">The data; where the white pixel is not known, they are read once.</param>
    /// <param name="name">The column.</param>
    /// <param name="factory">The encoder.</param>
    /// <param name="pixelMaximum">The value of a white pixel; null finds it.</param>
    /// <param name="skipsUnreadable">Whether images that cannot be decoded are left out with a warning.</param>
    /// <param name="channel">The log.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static ImageRowFormat Learn(IDataView input, string name, ImageEncoderFactory factory, float? pixelMaximum, bool skipsUnreadable,
        IChannel channel, CancellationToken cancellationToken)
    {
        var column = ColumnShape.Find(input.Schema, name);
        var unreadable = 0;
        var maximum = pixelMaximum ?? (LoadedImageColumn.Is(column) || column.ItemType == NumberDataViewType.Byte
            ? ImagePretrainingOptions.PixelMaximumOfBytes
            : PixelRange.Find(input, name, text => PretrainingTrainer.Inform(channel, text, MessageSensitivity.Schema), cancellationToken));
        return new ImageRowFormat(name, factory, maximum, LoadedImageColumn.Is(column), new PixelMoments(factory.Shape),
            skipsUnreadable ? Skip : null);

        void Skip(string sentence)
        {
            if (Interlocked.Increment(ref unreadable) <= NamedImages)
                channel.Warning(MessageSensitivity.UserData, "{0}", $"{sentence} It is left out.");
            else if (unreadable == NamedImages + 1)
                channel.Warning(MessageSensitivity.None, "{0}", "Further images cannot be read; they are left out, too.");
        }
    }
}
