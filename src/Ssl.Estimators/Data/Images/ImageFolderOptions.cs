using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;

namespace Ssl.Estimators;

/// <summary>How closely <c>LoadImageFolder</c> looks at each file before its row is given.</summary>
public enum ImageCheck
{
    /// <summary>Not at all: every file with a known ending is a row. One that cannot be decoded is told when it is read.</summary>
    None,

    /// <summary>Each file is read once, and none is decoded: whether it is of a known kind of image, and (JPEG, PNG, WebP) has its end.</summary>
    Structure,

    /// <summary>Each file is decoded once: what damage within an image does is found, too, and as long as a pass over the images takes.</summary>
    Decode,
}

/// <summary>Settings of <c>LoadImageFolder</c>. Checked when it starts, all faults at once.</summary>
public sealed class ImageFolderOptions
{
    /// <summary>Endings of the files that are images, each with its dot; upper and lower case are the same. At least one.</summary>
    /// <value>The default value is .bmp, .gif, .jpeg, .jpg, .png and .webp.</value>
    public IReadOnlyList<string> Extensions { get; set; } = [".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp"];

    /// <summary>Whether folders within the folder are read, too, however deep they lie.</summary>
    /// <value>The default value is true.</value>
    public bool IncludeSubfolders { get; set; } = true;

    /// <summary>
    /// Whether there is a column of labels: the name of the folder, directly within the given one, in which an image lies, however deep; the
    /// empty text for an image in none. Null makes one where there is such a folder. True needs at least one.
    /// </summary>
    /// <value>The default value is null.</value>
    public bool? IncludeLabel { get; set; }

    /// <summary>How closely files are looked at; those that fail have no row, and stand in <see cref="ImageFolder.UnreadableFiles"/>.</summary>
    /// <value>The default value is <see cref="ImageCheck.Structure"/>.</value>
    public ImageCheck Check { get; set; } = ImageCheck.Structure;

    /// <summary>Name of the column of images.</summary>
    /// <value>The default value is "Image".</value>
    public string ImageColumnName { get; set; } = ColumnNames.Image;

    /// <summary>Name of the column of paths.</summary>
    /// <value>The default value is "Path".</value>
    public string PathColumnName { get; set; } = "Path";

    /// <summary>Name of the column of labels.</summary>
    /// <value>The default value is "Label".</value>
    public string LabelColumnName { get; set; } = "Label";

    /// <summary>Ends the listing and the check.</summary>
    public CancellationToken CancellationToken { get; set; }

    internal ImageFolderOptions Checked()
    {
        var faults = new OptionFaults().NotNull(Extensions).Defined(Check).NotEmpty(ImageColumnName).NotEmpty(PathColumnName).NotEmpty(LabelColumnName);
        if (Extensions is not null)
        {
            faults.Require(Extensions.Count > 0, nameof(Extensions), "must have at least one ending", "none");
            foreach (var ending in Extensions.Where(ending => ending is not ['.', _, ..]))
                faults.Require(false, nameof(Extensions), "must begin with a dot each, as in \".png\"", $"\"{ending}\"");
        }
        faults.Require(IncludeLabel != true || IncludeSubfolders, nameof(IncludeLabel), "must not be true where IncludeSubfolders is false: the folders are the labels",
            IncludeLabel);
        faults.Require(new[] { ImageColumnName, PathColumnName, LabelColumnName }.Distinct().Count() == 3, nameof(PathColumnName),
            "must be another name than ImageColumnName and LabelColumnName, which must differ, too", $"'{ImageColumnName}', '{PathColumnName}', '{LabelColumnName}'");
        faults.ThrowIfAny();
        return (ImageFolderOptions)MemberwiseClone();
    }
}
