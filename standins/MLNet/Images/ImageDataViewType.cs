using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Image;

/// <summary>The type of a column of images; of one size where height and width are not 0.</summary>
public sealed class ImageDataViewType : StructuredDataViewType
{
    public readonly int Height;
    public readonly int Width;

    public ImageDataViewType()
        : base(typeof(MLImage))
    {
    }

    public ImageDataViewType(int height, int width)
        : base(typeof(MLImage))
    {
        Contracts.CheckParam(null, height > 0, nameof(height), "Must be positive");
        Contracts.CheckParam(null, width > 0, nameof(width), " Must be positive");
        Contracts.CheckParam(null, (long)height * width <= int.MaxValue / 4, nameof(height), "height * width is too large");
        Height = height;
        Width = width;
    }

    public override bool Equals(DataViewType other) =>
        ReferenceEquals(this, other) || (other is ImageDataViewType image && image.Height == Height && image.Width == Width);

    public override bool Equals(object obj) => obj is DataViewType type && Equals(type);
    public override int GetHashCode() => HashCode.Combine(Height, Width);
    public override string ToString() => Height == 0 && Width == 0 ? "Image" : $"Image<{Height}, {Width}>";
}

/// <summary>Put on a property of type <see cref="MLImage"/>.</summary>
public sealed class ImageTypeAttribute : DataViewTypeAttribute
{
    private readonly int _height;
    private readonly int _width;

    public ImageTypeAttribute()
    {
    }

    public ImageTypeAttribute(int height, int width)
    {
        Contracts.CheckParam(null, width > 0, nameof(width), "Should be positive number");
        Contracts.CheckParam(null, height > 0, nameof(height), "Should be positive number");
        _height = height;
        _width = width;
    }

    public override bool Equals(DataViewTypeAttribute other) => other is ImageTypeAttribute image && image._height == _height && image._width == _width;
    public override bool Equals(object obj) => obj is DataViewTypeAttribute other && Equals(other);
    public override int GetHashCode() => HashCode.Combine(_height, _width);

    public override void Register() => DataViewTypeManager.Register(
        _height == 0 ? new ImageDataViewType() : new ImageDataViewType(_height, _width),
        typeof(MLImage),
        this);
}
