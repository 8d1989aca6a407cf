using System.Globalization;
using System.Xml.Linq;
using Ssl.Estimators.Reporting;

namespace Ssl.Estimators.Tests.Reporting;

[TestClass]
public sealed class ChartTests
{
    [TestMethod]
    [DataRow(0, 10, "0|2|4|6|8|10")]
    [DataRow(0.013, 0.187, "0.00|0.05|0.10|0.15|0.20")]
    [DataRow(-3, 3, "-4|-2|0|2|4")]
    [DataRow(1_000, 9_500, "0|2,000|4,000|6,000|8,000|10,000")]
    [DataRow(7, 7, "6.0|6.5|7.0|7.5|8.0")]
    [DataRow(0, 0, "-1.0|-0.5|0.0|0.5|1.0")]
    public void Marks_are_round_and_hold_the_values(double minimum, double maximum, string expected)
    {
        var scale = new Scale(minimum, maximum, 100, 300);
        Assert.AreEqual(expected, string.Join("|", scale.Marks.Select(mark => mark.Text)));
        Assert.IsLessThanOrEqualTo(minimum, scale.Minimum);
        Assert.IsGreaterThanOrEqualTo(maximum, scale.Maximum);
        Assert.AreEqual(100, scale.At(scale.Minimum), 1e-9);
        Assert.AreEqual(300, scale.At(scale.Maximum), 1e-9);
        Assert.AreEqual(200, scale.At((scale.Minimum + scale.Maximum) / 2), 1e-9);
    }

    [TestMethod]
    public void A_scale_may_end_at_its_values()
    {
        var scale = new Scale(3, 252, 0, 100, endsAtMarks: false);
        Assert.AreEqual("50|100|150|200|250", string.Join("|", scale.Marks.Select(mark => mark.Text)));
        Assert.AreEqual(0, scale.At(3), 1e-9);
        Assert.AreEqual(100, scale.At(252), 1e-9);
    }

    [TestMethod]
    public void A_line_goes_through_its_points_and_leaves_gaps_where_there_are_none()
    {
        var html = XElement.Parse(Charts.Lines("what is <seen>", "step", "loss",
            [new Series("a & b", [(0, 0), (1, 10), (2, double.NaN), (3, 5), (4, 0)])], place: (1, "here")));
        var svg = html.Element("svg")!;
        Assert.AreEqual("what is <seen>", (string?)svg.Attribute("aria-label"));
        // From 64 to 620 and from 252 up to 14.
        Assert.AreEqual("M64 252L203 14M481 133L620 252", (string?)svg.Element("path")!.Attribute("d"));
        StringAssert.Contains(html.Element("figcaption")!.Value, "a & b");
        Assert.HasCount(4, svg.Elements("circle"));
    }

    [TestMethod]
    public void Long_lines_are_thinned_by_means()
    {
        var points = Enumerable.Range(0, 4_000).Select(i => ((double)i, i % 2 == 0 ? 0.0 : 2.0)).ToArray();
        var svg = XElement.Parse(Charts.Lines("", "", "", [new Series("", points)])).Element("svg")!;
        var path = (string)svg.Element("path")!.Attribute("d")!;
        Assert.HasCount(400, path.Split('M', 'L').Skip(1));
        // Every stretch has a mean of 1: a flat line.
        Assert.HasCount(1, path.Split('M', 'L').Skip(1).Select(point => point.Split(' ')[1]).Distinct());
    }

    [TestMethod]
    public void Without_a_finite_value_there_is_no_picture()
        => Assert.AreEqual("", Charts.Lines("", "", "", [new Series("", [(0, double.NaN), (1, double.PositiveInfinity)])]));

    [TestMethod]
    public void A_map_keeps_distances_and_grays_what_has_no_color_left()
    {
        MapDot[] dots = [new(0, 0, 0, "first"), new(10, 0, 6, "second"), new(10, 5, 7, "third"), new(0, 5, -1, "<none>")];
        var html = XElement.Parse(Charts.Map("", dots, [.. Enumerable.Range(0, 9).Select(i => $"group {i}")]));
        var shown = html.Element("svg")!.Elements("circle").ToDictionary(dot => dot.Element("title")!.Value);
        Assert.AreEqual("fill c0", (string?)shown["first"].Attribute("class"));
        Assert.AreEqual("fill c6", (string?)shown["second"].Attribute("class"));
        Assert.AreEqual("fill c7", (string?)shown["third"].Attribute("class"));
        Assert.AreEqual("fill c7", (string?)shown["<none>"].Attribute("class"));
        double At(string name, string axis) => double.Parse((string)shown[name].Attribute(axis)!, CultureInfo.InvariantCulture);
        // One unit for both: 10 to the right are twice 5 up, and up is less.
        Assert.AreEqual(2 * (At("second", "cy") - At("third", "cy")), At("second", "cx") - At("first", "cx"), 0.2);
        StringAssert.EndsWith(html.Element("figcaption")!.Value, "2 others");
    }

    [TestMethod]
    public void Means_have_bars_of_their_deviation()
    {
        var svg = XElement.Parse(Charts.Means("", "", "", ["few", "many"], [new Series("x", [(0, 0.5), (1, 1)], [0.5, 0])])).Element("svg")!;
        var bar = svg.Elements("line").Single(line => (string?)line.Attribute("class") == "line c0");
        // From 0 to 1, which is the whole height.
        Assert.AreEqual("252 14", $"{bar.Attribute("y1")!.Value} {bar.Attribute("y2")!.Value}");
        Assert.HasCount(2, svg.Elements("circle"));
    }

    [TestMethod]
    public void A_sound_in_one_line_shows_its_extremes()
    {
        var sound = new float[16_000];
        sound[8_000] = 1;
        sound[8_001] = -1;
        sound[3] = float.NaN;
        var path = (string)XElement.Parse(Charts.Sparkline("", sound)).Element("svg")!.Element("path")!.Attribute("d")!;
        StringAssert.Contains(path, " 3L");
        StringAssert.Contains(path, " 37");
    }

    [TestMethod]
    [DataRow("a\tb\n c", 10, "a b c")]
    [DataRow("0123456789", 10, "0123456789")]
    [DataRow("0123456789a", 10, "012345678…")]
    [DataRow("01234567\U0001F600\U0001F600", 10, "01234567…")]
    public void Short_texts_are_whole_characters(string text, int most, string expected) => Assert.AreEqual(expected, Words.Short(text, most));
}
