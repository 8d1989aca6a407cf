using Ssl.Estimators;

namespace Ssl.MLNet.Onnx.Networks;

/// <summary>What cannot be written, in a sentence.</summary>
internal static class Unsupported
{
    /// <summary>A network of somebody else's, or one that nobody taught ONNX yet.</summary>
    public static NotSupportedException Network(EncoderFactory factory) => new($"An encoder of the kind '{factory.Kind}' cannot be written as ONNX: its operations are not known. "
        + "All encoders of this library can be; one of a module of your own cannot. Keep it as it is with SaveEncoder, or give its weights to the exporter of the library that it comes from.");
}
