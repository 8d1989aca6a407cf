using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Pretrained;

/// <summary>The kinds of networks of BERT's family, by config.json's "model_type".</summary>
/// <param name="Name">The model_type.</param>
/// <param name="ModelClass">Its class in transformers: the one without a head.</param>
/// <param name="Names">How its files name the parts.</param>
/// <param name="Special">The special tokens of its vocabulary, where the files do not say it.</param>
internal sealed record BertKind(string Name, string ModelClass, BertNames Names, SpecialTokenNames Special)
{
    private const string TypeKey = "model_type";

    /// <summary>BERT itself: MiniLM, BGE, E5, GTE and many more.</summary>
    public static BertKind Bert { get; } = new("bert", "BertModel", BertNames.Bert, SpecialTokenNames.Bert);

    /// <summary>DistilBERT.</summary>
    public static BertKind Distil { get; } = new("distilbert", "DistilBertModel", BertNames.Distil, SpecialTokenNames.Bert);

    /// <summary>MPNet, with its table of distances.</summary>
    public static BertKind MpNet { get; } = new("mpnet", "MPNetModel", BertNames.MpNet, SpecialTokenNames.MpNet);

    /// <summary>RoBERTa, whose places are counted behind the padding's id.</summary>
    public static BertKind Roberta { get; } = new("roberta", "RobertaModel", BertNames.Bert, SpecialTokenNames.Roberta);

    /// <summary>XLM-RoBERTa: the same network with another vocabulary.</summary>
    public static BertKind XlmRoberta { get; } = Roberta with { Name = "xlm-roberta", ModelClass = "XLMRobertaModel" };

    /// <summary>All kinds.</summary>
    public static IReadOnlyList<BertKind> All { get; } = [Bert, Distil, MpNet, Roberta, XlmRoberta];

    /// <summary>Whether places are counted behind the padding's id.</summary>
    public bool CountsBehindPadding => Name is not ("bert" or "distilbert");

    /// <summary>The kind that a config.json names; null where it is none of BERT's family.</summary>
    public static BertKind? Of(PretrainedSettings config) => All.FirstOrDefault(kind => kind.Name == config.TextOrNull(TypeKey));

    /// <summary>The sizes that a config.json gives.</summary>
    /// <param name="config">The file.</param>
    /// <param name="words">Rows of the table of words.</param>
    /// <exception cref="FormatException">A setting is missing, or asks for what such a network cannot be here.</exception>
    public BertSizes ReadSizes(PretrainedSettings config, int words)
    {
        var isDistil = this == Distil;
        if (config.TextOrNull("position_embedding_type") is { } positions && positions != "absolute")
            throw config.Fault("position_embedding_type", "\"absolute\", the only kind that is read");
        if (config.Has("embedding_size") && config.Integer("embedding_size") != config.Integer("hidden_size"))
            throw config.Fault("embedding_size", "the same as hidden_size");
        var first = CountsBehindPadding ? config.Integer("pad_token_id", 1) + 1 : 0;
        var count = config.Integer("max_position_embeddings");
        return new BertSizes
        {
            Words = words,
            NumberOfLayers = config.Integer(isDistil ? "n_layers" : "num_hidden_layers"),
            Dimension = config.Integer(isDistil ? "dim" : "hidden_size"),
            NumberOfHeads = config.Integer(isDistil ? "n_heads" : "num_attention_heads"),
            FeedForwardDimension = config.Integer(isDistil ? "hidden_dim" : "intermediate_size"),
            Positions = count,
            FirstPosition = first,
            TokenTypes = isDistil || this == MpNet ? 0 : config.Integer("type_vocab_size", 2),
            RelativePositions = this == MpNet ? config.Integer("relative_attention_num_buckets", 32) : 0,
            LayerNormEpsilon = config.Number("layer_norm_eps", 1e-12),
            Activation = ReadActivation(config, isDistil ? "activation" : "hidden_act"),
            Dropout = config.Number(isDistil ? "dropout" : "hidden_dropout_prob", 0.1),
            MaximumTokens = count - first,
        };
    }

    private static BertActivation ReadActivation(PretrainedSettings config, string name) => config.TextOrNull(name) switch
    {
        null or "gelu" => BertActivation.Gelu,
        "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast" => BertActivation.GeluTanh,
        "relu" => BertActivation.Relu,
        _ => throw config.Fault(name, "\"gelu\", \"gelu_new\", \"gelu_pytorch_tanh\" or \"relu\""),
    };
}
