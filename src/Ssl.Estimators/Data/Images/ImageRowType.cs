using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Ssl.Estimators.Data;

/// <summary>
/// What a property of type <see cref="MLImage"/> is in a class of rows: an image of any size. ML.NET's own attribute wants a size, and then
/// refuses the columns of <c>LoadImages</c>, which have none.
/// </summary>
internal static class ImageRowType
{
    /// <summary>Tells ML.NET, also in a process that only loads a saved model; telling it again what it knows changes nothing.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "A process that only loads a model never names a type of this assembly.")]
    internal static void Register() => DataViewTypeManager.Register(new ImageDataViewType(), typeof(MLImage));
}
