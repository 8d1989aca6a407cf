using Microsoft.ML.Data;
using SkiaSharp;

namespace Ssl.Estimators.Data;

/// <summary>Why the file of an image cannot be taken.</summary>
internal static class ImageFileCheck
{
    /// <summary>The end of a sentence; null where nothing was found.</summary>
    /// <param name="path">A file.</param>
    /// <param name="check">How closely to look.</param>
    public static string? FaultOf(string path, ImageCheck check)
    {
        try
        {
            if (new FileInfo(path).Length == 0)
                return "the file is empty";
            // The decoder gives what a cut file has, and nothing for the rest.
            if (ImageEnd.IsMissing(path))
                return "the file ends before the image does";
            using (var codec = SKCodec.Create(path, out _))
            {
                if (codec is null)
                    return "its contents are not those of an image";
                if (4L * codec.Info.Width * codec.Info.Height > Array.MaxLength)
                    return $"it has {codec.Info.Width} x {codec.Info.Height} pixels, more than one array holds";
            }
            if (check == ImageCheck.Decode)
                MLImage.CreateFromFile(path).Dispose();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message.TrimEnd('.');
        }
        catch (ArgumentException)
        {
            return "its contents cannot be decoded";
        }
    }
}
