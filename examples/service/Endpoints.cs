using Microsoft.AspNetCore.Http.HttpResults;
using SearchService.Models;

namespace SearchService;

/// <summary>The paths of the service.</summary>
public static class Endpoints
{
    /// <summary>Maps what is asked of the model.</summary>
    public static void MapModel(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("").RequireRateLimiting(Limits.PerClient).ProducesProblem(400).ProducesProblem(429).ProducesProblem(503);
        group.MapPost("/embed", EmbedAsync).ProducesProblem(413).ProducesProblem(415)
            .WithSummary("Embeds texts").WithDescription("One vector a text; texts that mean alike have vectors of a high cosine.");
        group.MapPost("/search", SearchAsync).ProducesProblem(413).ProducesProblem(415)
            .WithSummary("Searches the catalog").WithDescription("The rows whose embeddings have the highest cosine with that of a text, best first.");
        group.MapPost("/classify", ClassifyAsync).ProducesProblem(404).ProducesProblem(413).ProducesProblem(415)
            .WithSummary("Classifies texts").WithDescription("The most likely class of each text, and the probability of every class.");
        group.MapGet("/catalog/{id}", CatalogRow).ProducesProblem(404).WithSummary("A row of the catalog");
        group.MapGet("/catalog/{id}/similar", SimilarAsync).ProducesProblem(404)
            .WithSummary("Rows like a row").WithDescription("The nearest other rows of the catalog, best first.");
        group.MapGet("/model", Model).WithSummary("What is served");
    }

    private static async Task<Results<Ok<EmbedResponse>, ProblemHttpResult>> EmbedAsync(TextsRequest request, Inference inference, Faults faults,
        CancellationToken canceled)
    {
        if (faults.Check(request.Texts) is { } fault)
            return fault;
        return TypedResults.Ok(await inference.AnswerAsync(request.Texts!,
            (model, embeddings) => new EmbedResponse(model.Version, model.Dimension, embeddings), canceled));
    }

    private static async Task<Results<Ok<SearchResponse>, ProblemHttpResult>> SearchAsync(SearchRequest request, Inference inference, Faults faults,
        CancellationToken canceled)
    {
        if (faults.CheckText(request.Text, "text") is { } fault)
            return fault;
        return await inference.AnswerAsync<Results<Ok<SearchResponse>, ProblemHttpResult>>([request.Text!], (model, embeddings)
            => Faults.CheckCount(request.Count, model.MostMatches) is { } tooMany ? tooMany
            : TypedResults.Ok(new SearchResponse(model.Version, model.Search(embeddings[0], request.Count))), canceled);
    }

    private static async Task<Results<Ok<ClassifyResponse>, ProblemHttpResult>> ClassifyAsync(TextsRequest request, Inference inference, Faults faults,
        CancellationToken canceled)
    {
        if (faults.Check(request.Texts) is { } fault)
            return fault;
        return await inference.AnswerAsync<Results<Ok<ClassifyResponse>, ProblemHttpResult>>(request.Texts!, (model, embeddings)
            => model.Labels.Count == 0 ? Faults.NotFound($"The model {model.Version} was trained without labels and classifies nothing: train it with --label.")
            : TypedResults.Ok(new ClassifyResponse(model.Version, [.. embeddings.Select(embedding => model.Classify(embedding)!)])), canceled);
    }

    private static Results<Ok<CatalogRow>, ProblemHttpResult> CatalogRow(string id, ModelStore store)
    {
        using var lease = store.Lease() ?? throw new NoModelException();
        return lease.Model.Row(id) is { } row ? TypedResults.Ok(row) : Unknown(id, lease.Model);
    }

    private static async Task<Results<Ok<SearchResponse>, ProblemHttpResult>> SimilarAsync(string id, Inference inference, ModelStore store,
        CancellationToken canceled, int count = SearchRequest.DefaultCount)
    {
        string? text;
        using (var lease = store.Lease() ?? throw new NoModelException())
        {
            // One row less than a search: the row itself does not count.
            if (Faults.CheckCount(count, lease.Model.MostMatches - 1) is { } tooMany)
                return tooMany;
            text = lease.Model.Row(id)?.Text;
            if (text is null)
                return Unknown(id, lease.Model);
        }
        return TypedResults.Ok(await inference.AnswerAsync([text],
            (model, embeddings) => new SearchResponse(model.Version, model.Search(embeddings[0], count, except: id)), canceled));
    }

    private static Ok<ModelResponse> Model(ModelStore store)
    {
        using var lease = store.Lease() ?? throw new NoModelException();
        var model = lease.Model;
        return TypedResults.Ok(new ModelResponse(model.Version, model.Created, model.TrainedOn, model.Dimension, model.CatalogRows, model.Labels, model.Loaded,
            store.Fault));
    }

    private static ProblemHttpResult Unknown(string id, ServedModel model)
        => Faults.NotFound($"The catalog of model {model.Version} has no row '{id}'. /search finds rows and their ids.");
}
