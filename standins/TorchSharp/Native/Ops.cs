namespace TorchSharp.Native;

/// <summary>The operators in use, each looked up in libtorch at its first call.</summary>
internal static class Ops
{
    public static readonly Operator
        _foreach_add_List = new("_foreach_add", "List"), _foreach_add__List = new("_foreach_add_", "List"),
        _foreach_add__Scalar = new("_foreach_add_", "Scalar"), _foreach_addcdiv__ScalarList = new("_foreach_addcdiv_", "ScalarList"),
        _foreach_addcmul__Scalar = new("_foreach_addcmul_", "Scalar"), _foreach_div__ScalarList = new("_foreach_div_", "ScalarList"),
        _foreach_mul__Scalar = new("_foreach_mul_", "Scalar"), _foreach_neg = new("_foreach_neg"),
        _foreach_norm_Scalar = new("_foreach_norm", "Scalar"), _foreach_sqrt = new("_foreach_sqrt"),
        _local_scalar_dense = new("_local_scalar_dense"), _pad_circular = new("_pad_circular"), _unique = new("_unique2");

    public static readonly Operator
        abs = new("abs"), adaptive_avg_pool1d = new("adaptive_avg_pool1d"), adaptive_avg_pool2d = new("adaptive_avg_pool2d"),
        add_Scalar = new("add", "Scalar"), add_Tensor = new("add", "Tensor"), add__Scalar = new("add_", "Scalar"),
        add__Tensor = new("add_", "Tensor"), addcdiv = new("addcdiv"), addcdiv_ = new("addcdiv_"), addcmul = new("addcmul"),
        addcmul_ = new("addcmul_"), addmm = new("addmm"), addmm_ = new("addmm_"),
        affine_grid_generator = new("affine_grid_generator"), all = new("all"),
        all_dim = new("all", "dim"), allclose = new("allclose"), amax = new("amax"), amin = new("amin"), any = new("any"),
        any_dim = new("any", "dim"), arange_start_step = new("arange", "start_step"), argmax = new("argmax"), argmin = new("argmin"),
        argsort = new("argsort"), as_strided = new("as_strided"), atan2 = new("atan2"), avg_pool1d = new("avg_pool1d"),
        avg_pool2d = new("avg_pool2d");

    public static readonly Operator
        baddbmm = new("baddbmm"), batch_norm = new("batch_norm"), bernoulli = new("bernoulli"),
        bernoulli__Tensor = new("bernoulli_", "Tensor"), bernoulli__float = new("bernoulli_", "float"),
        binary_cross_entropy = new("binary_cross_entropy"), binary_cross_entropy_with_logits = new("binary_cross_entropy_with_logits"),
        bincount = new("bincount"), bitwise_and_Tensor = new("bitwise_and", "Tensor"), bitwise_not = new("bitwise_not"),
        bitwise_or_Tensor = new("bitwise_or", "Tensor"), bitwise_xor_Tensor = new("bitwise_xor", "Tensor"), bmm = new("bmm"),
        broadcast_tensors = new("broadcast_tensors"), broadcast_to = new("broadcast_to"), bucketize_Tensor = new("bucketize", "Tensor");

    public static readonly Operator
        cat = new("cat"), ceil = new("ceil"), chunk = new("chunk"), clamp = new("clamp"), clamp_ = new("clamp_"),
        clamp_Tensor = new("clamp", "Tensor"), clamp__Tensor = new("clamp_", "Tensor"), clamp_max = new("clamp_max"),
        clamp_max_ = new("clamp_max_"), clamp_min = new("clamp_min"), clamp_min_ = new("clamp_min_"), clone = new("clone"),
        constant_pad_nd = new("constant_pad_nd"), contiguous = new("contiguous"), conv1d = new("conv1d"), conv2d = new("conv2d"),
        copy_ = new("copy_"), cos = new("cos"), cosine_similarity = new("cosine_similarity"), count_nonzero = new("count_nonzero"),
        count_nonzero_dim_IntList = new("count_nonzero", "dim_IntList"), cross_entropy_loss = new("cross_entropy_loss"),
        cumprod = new("cumprod"), cumsum = new("cumsum");

    public static readonly Operator
        detach = new("detach"), detach_ = new("detach_"), diag = new("diag"), diag_embed = new("diag_embed"),
        diagonal = new("diagonal"), diff = new("diff"), div_Scalar = new("div", "Scalar"), div_Scalar_mode = new("div", "Scalar_mode"),
        div_Tensor = new("div", "Tensor"), div_Tensor_mode = new("div", "Tensor_mode"), div__Scalar = new("div_", "Scalar"),
        div__Scalar_mode = new("div_", "Scalar_mode"), div__Tensor = new("div_", "Tensor"),
        div__Tensor_mode = new("div_", "Tensor_mode"), dot = new("dot"), dropout = new("dropout"), dropout_ = new("dropout_");

    public static readonly Operator
        einsum = new("einsum"), embedding = new("embedding"), embedding_bag_padding_idx = new("embedding_bag", "padding_idx"),
        embedding_renorm_ = new("embedding_renorm_"), empty_like = new("empty_like"),
        empty_memory_format = new("empty", "memory_format"), eq_Scalar = new("eq", "Scalar"), eq_Tensor = new("eq", "Tensor"),
        erf = new("erf"), erfinv_ = new("erfinv_"), exp = new("exp"), expand = new("expand"), expand_as = new("expand_as"),
        expm1 = new("expm1"), exponential_ = new("exponential_"), eye_m = new("eye", "m");

    public static readonly Operator
        fill__Scalar = new("fill_", "Scalar"), flatten_using_ints = new("flatten", "using_ints"), flip = new("flip"),
        floor = new("floor"), floor_divide = new("floor_divide"), floor_divide_Scalar = new("floor_divide", "Scalar"),
        full = new("full"), full_like = new("full_like");

    public static readonly Operator
        gather = new("gather"), ge_Scalar = new("ge", "Scalar"), ge_Tensor = new("ge", "Tensor"), gelu = new("gelu"),
        grid_sampler = new("grid_sampler"), group_norm = new("group_norm"), gt_Scalar = new("gt", "Scalar"),
        gt_Tensor = new("gt", "Tensor");

    public static readonly Operator
        hstack = new("hstack");

    public static readonly Operator
        index_Tensor = new("index", "Tensor"), index_add = new("index_add"), index_add_ = new("index_add_"),
        index_put_ = new("index_put_"), index_select = new("index_select"), isclose = new("isclose"), isfinite = new("isfinite"),
        isin_Tensor_Tensor = new("isin", "Tensor_Tensor"), isinf = new("isinf"), isnan = new("isnan");

    public static readonly Operator
        kl_div = new("kl_div");

    public static readonly Operator
        l1_loss = new("l1_loss"), layer_norm = new("layer_norm"), le_Scalar = new("le", "Scalar"), le_Tensor = new("le", "Tensor"),
        lerp_Tensor = new("lerp", "Tensor"), lerp__Tensor = new("lerp_", "Tensor"), linalg_cholesky = new("linalg_cholesky"),
        linalg_det = new("linalg_det"), linalg_eigh = new("linalg_eigh"), linalg_eigvalsh = new("linalg_eigvalsh"),
        linalg_inv = new("linalg_inv"), linalg_norm = new("linalg_norm"), linalg_qr = new("linalg_qr"),
        linalg_solve = new("linalg_solve"), linalg_svd = new("linalg_svd"), linalg_svdvals = new("linalg_svdvals"),
        linalg_vector_norm = new("linalg_vector_norm"), linear = new("linear"), linspace = new("linspace"), log = new("log"),
        log1p = new("log1p"), log2 = new("log2"), log_softmax_int = new("log_softmax", "int"), logical_and = new("logical_and"),
        logical_not = new("logical_not"), logical_or = new("logical_or"), logical_xor = new("logical_xor"),
        logsumexp = new("logsumexp"), lt_Scalar = new("lt", "Scalar"), lt_Tensor = new("lt", "Tensor");

    public static readonly Operator
        mT = new("mT"), masked_fill_Scalar = new("masked_fill", "Scalar"), masked_fill__Scalar = new("masked_fill_", "Scalar"),
        masked_scatter = new("masked_scatter"), masked_select = new("masked_select"), matmul = new("matmul"), max = new("max"),
        max_dim = new("max", "dim"), max_other = new("max", "other"), max_pool1d = new("max_pool1d"), max_pool2d = new("max_pool2d"),
        maximum = new("maximum"), mean = new("mean"), mean_dim = new("mean", "dim"), median = new("median"),
        meshgrid_indexing = new("meshgrid", "indexing"), min = new("min"), min_dim = new("min", "dim"), min_other = new("min", "other"),
        minimum = new("minimum"), mm = new("mm"), mode = new("mode"), movedim_intlist = new("movedim", "intlist"),
        mse_loss = new("mse_loss"), mul_Scalar = new("mul", "Scalar"), mul_Tensor = new("mul", "Tensor"),
        mul__Scalar = new("mul_", "Scalar"), mul__Tensor = new("mul_", "Tensor"), multinomial = new("multinomial"),
        multiply_Scalar = new("multiply", "Scalar"), multiply_Tensor = new("multiply", "Tensor"), mv = new("mv");

    public static readonly Operator
        nan_to_num = new("nan_to_num"), nanmean = new("nanmean"), nansum = new("nansum"), narrow = new("narrow"),
        ne_Scalar = new("ne", "Scalar"), ne_Tensor = new("ne", "Tensor"), neg = new("neg"), nll_loss_nd = new("nll_loss_nd"),
        nonzero = new("nonzero"), norm_Scalar = new("norm", "Scalar"), norm_ScalarOpt_dim = new("norm", "ScalarOpt_dim"),
        normal_ = new("normal_"), normal_Tensor_Tensor = new("normal", "Tensor_Tensor"),
        normal_float_float = new("normal", "float_float"), numpy_T = new("numpy_T");

    public static readonly Operator
        one_hot = new("one_hot"), ones = new("ones"), ones_like = new("ones_like"), outer = new("outer");

    public static readonly Operator
        permute = new("permute"), pow_Tensor_Scalar = new("pow", "Tensor_Scalar"), pow_Tensor_Tensor = new("pow", "Tensor_Tensor"),
        pow__Scalar = new("pow_", "Scalar"), pow__Tensor = new("pow_", "Tensor"), prod = new("prod"),
        prod_dim_int = new("prod", "dim_int");

    public static readonly Operator
        quantile = new("quantile");

    public static readonly Operator
        rand_generator = new("rand", "generator"), rand_like = new("rand_like"),
        randint_like_low_dtype = new("randint_like", "low_dtype"), randint_low_generator = new("randint", "low_generator"),
        randn_generator = new("randn", "generator"), randn_like = new("randn_like"), random__from = new("random_", "from"),
        randperm_generator = new("randperm", "generator"), reciprocal = new("reciprocal"), reflection_pad1d = new("reflection_pad1d"),
        reflection_pad2d = new("reflection_pad2d"), reflection_pad3d = new("reflection_pad3d"), relu = new("relu"),
        relu_ = new("relu_"), remainder_Scalar = new("remainder", "Scalar"), remainder_Tensor = new("remainder", "Tensor"),
        repeat = new("repeat"), repeat_interleave_self_Tensor = new("repeat_interleave", "self_Tensor"),
        repeat_interleave_self_int = new("repeat_interleave", "self_int"), replication_pad1d = new("replication_pad1d"),
        replication_pad2d = new("replication_pad2d"), replication_pad3d = new("replication_pad3d"), reshape = new("reshape"),
        roll = new("roll"), round_decimals = new("round", "decimals"), rsqrt = new("rsqrt"), rsub_Scalar = new("rsub", "Scalar");

    public static readonly Operator
        scalar_tensor = new("scalar_tensor"), scaled_dot_product_attention = new("scaled_dot_product_attention"),
        scatter__src = new("scatter_", "src"), scatter_add = new("scatter_add"), scatter_add_ = new("scatter_add_"),
        scatter_src = new("scatter", "src"), searchsorted_Tensor = new("searchsorted", "Tensor"), select_int = new("select", "int"),
        sigmoid = new("sigmoid"), sign = new("sign"), silu = new("silu"), silu_ = new("silu_"), sin = new("sin"),
        slice_Tensor = new("slice", "Tensor"), smooth_l1_loss = new("smooth_l1_loss"), softmax_int = new("softmax", "int"),
        softplus = new("softplus"), sort_stable = new("sort", "stable"), split = new("split", "Tensor"),
        split_with_sizes = new("split_with_sizes"), sqrt = new("sqrt"), sqrt_ = new("sqrt_"), square = new("square"),
        squeeze = new("squeeze"), squeeze_ = new("squeeze_"), squeeze__dim = new("squeeze_", "dim"),
        squeeze_dim = new("squeeze", "dim"), stack = new("stack"), std = new("std"), std_dim = new("std", "dim"),
        std_mean = new("std_mean"), std_mean_dim = new("std_mean", "dim"), sub_Scalar = new("sub", "Scalar"),
        sub_Tensor = new("sub", "Tensor"), subtract_Scalar = new("subtract", "Scalar"), subtract_Tensor = new("subtract", "Tensor"),
        sum = new("sum"), sum_dim_IntList = new("sum", "dim_IntList");

    public static readonly Operator
        t = new("t"), take = new("take"), tanh = new("tanh"), to_device = new("to", "device"), to_dtype = new("to", "dtype"),
        topk = new("topk"), trace = new("trace"), transpose_int = new("transpose", "int"), tril = new("tril"), tril_ = new("tril_"),
        tril_indices = new("tril_indices"), triu = new("triu"), triu_ = new("triu_"), triu_indices = new("triu_indices"),
        trunc = new("trunc");

    public static readonly Operator
        unbind = new("unbind", "int"), unflatten_int = new("unflatten", "int"), unfold = new("unfold"), uniform_ = new("uniform_"),
        unique_dim = new("unique_dim"), unsqueeze = new("unsqueeze"), unsqueeze_ = new("unsqueeze_"),
        upsample_bicubic2d_vec = new("upsample_bicubic2d", "vec"), upsample_bilinear2d_vec = new("upsample_bilinear2d", "vec"),
        upsample_linear1d_vec = new("upsample_linear1d", "vec"), upsample_nearest1d_vec = new("upsample_nearest1d", "vec"),
        upsample_nearest2d_vec = new("upsample_nearest2d", "vec"), upsample_nearest3d_vec = new("upsample_nearest3d", "vec"),
        upsample_trilinear3d_vec = new("upsample_trilinear3d", "vec");

    public static readonly Operator
        var = new("var"), var_dim = new("var", "dim"), var_mean = new("var_mean"), var_mean_dim = new("var_mean", "dim"),
        view = new("view"), view_as = new("view_as"), vstack = new("vstack");

    public static readonly Operator
        where = new("where"), where_self = new("where", "self");

    public static readonly Operator
        zero_ = new("zero_"), zeros = new("zeros"), zeros_like = new("zeros_like");
}
