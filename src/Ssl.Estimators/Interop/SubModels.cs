using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Microsoft.ML.Trainers;

namespace Ssl.Estimators.Interop;

/// <summary>The models of the classes in a multiclass model of ML.NET, which it keeps to itself.</summary>
internal static class SubModels
{
    /// <summary>One model for each class, in the order of the keys.</summary>
    /// <exception cref="NotSupportedException">This ML.NET has no such member.</exception>
    public static ImmutableArray<object> Of(OneVersusAllModelParameters model)
    {
        try
        {
            return Get(model);
        }
        catch (MissingMemberException e)
        {
            throw new NotSupportedException("This version of Microsoft.ML does not show the trees of its LightGBM model: OneVersusAllModelParameters "
                + "has no SubModelParameters. Use the version of Microsoft.ML that Ssl.Estimators asks for, or train without trees.", e);
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_SubModelParameters")]
    private static extern ImmutableArray<object> Get(OneVersusAllModelParameters model);
}
