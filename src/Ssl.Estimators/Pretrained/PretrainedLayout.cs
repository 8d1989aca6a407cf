namespace Ssl.Estimators;

/// <summary>Whose names and settings the files of a network of images get.</summary>
public enum PretrainedLayout
{
    /// <summary>Those of transformers: <c>AutoModel.from_pretrained(folder)</c>. Networks of texts have this one only.</summary>
    Transformers,

    /// <summary>
    /// Those of timm: <c>timm.create_model("local-dir:" + folder)</c>. Weights of residual networks are then named as torchvision names them, too.
    /// </summary>
    Timm,
}
