using Quickstart;
var c = Corpus.Create("x", ReferenceDocumentation.Read(ReferenceDocumentation.FindSdk()), 2000, int.MaxValue, 0);
Console.WriteLine($"{c.DocumentsRead} {c.Training.Count} {c.HeldOut.Count}");
var t = new TfIdf(c.Training.SelectMany(d => new[] { d.Text, d.Pair }));
var r = t.Ranks(c.HeldOut.Select(d => d.Pair).ToList(), c.HeldOut.Select(d => d.Text).ToList());
foreach (var k in new[] { 1, 5, 10 }) Console.WriteLine($"{k} {r.Count(x => x <= k) / (double)r.Length}");
foreach (var g in c.Training.GroupBy(d => d.Label).OrderByDescending(g => g.Count()).Take(100).Select((g, i) => $"{i} {g.Key} {g.Count()}")) Console.WriteLine(g);
