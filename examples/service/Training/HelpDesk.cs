namespace SearchService.Training;

/// <summary>Made-up questions to a help desk and the articles that answer them: data of one's own are missing only at the first try.</summary>
public static class HelpDesk
{
    private static readonly Topic[] s_topics =
    [
        new("delivery", "Delivery",
            [new("parcel", "parcel", "package", "box"), new("letter", "letter", "envelope", "mail"), new("wardrobe", "wardrobe", "sofa", "table"),
                new("food order", "food order", "grocery order", "food basket"), new("bouquet", "bouquet", "bunch of flowers", "bunch of roses")],
            [
                new("is late", "The depot finds it and sends it on the same day.", "is late", "has not arrived yet", "should have been here yesterday", "is overdue"),
                new("arrived damaged", "Send a photo; a replacement is on its way within two days.", "was damaged", "came crushed", "arrived broken", "is dented"),
                new("went to the wrong address", "The driver picks it up and brings it to you.", "went to the wrong address", "was left with a neighbor", "was brought next door"),
                new("cannot be tracked", "Tracking starts when the first depot has scanned it.", "cannot be tracked", "shows no tracking", "has no tracking number"),
                new("must come on another day", "Choose the day in the delivery calendar, until the evening before.", "must come on another day", "should come next week", "comes when I am away"),
            ]),
        new("billing", "Billing",
            [new("invoice", "invoice", "bill"), new("card payment", "card", "credit card"), new("bank transfer", "transfer", "bank payment"),
                new("subscription", "subscription", "plan", "membership"), new("gift voucher", "voucher", "gift card", "coupon")],
            [
                new("has a wrong amount", "Accounting checks it and corrects the amount.", "has a wrong amount", "was too high", "charged me too much", "names another sum"),
                new("was declined", "Ask the bank to release it, then try again.", "was declined", "did not go through", "was refused", "keeps failing"),
                new("was charged twice", "The second charge is returned within five days.", "was charged twice", "was booked two times", "appears double"),
                new("needs a receipt", "Receipts are in the account, under payments.", "needs a receipt", "has no receipt", "is missing a confirmation"),
                new("shall be canceled", "Cancel it in the account; it ends with the month.", "shall be canceled", "should end now", "is no longer needed", "must be stopped"),
            ]),
        new("account", "Account",
            [new("password", "password", "passphrase"), new("login", "login", "sign-in"), new("email address", "email", "email address"),
                new("phone number", "phone number", "mobile number"), new("profile", "profile", "user data")],
            [
                new("is locked", "It opens again after half an hour, or with the link in the mail.", "is locked", "is blocked", "was disabled", "has been frozen"),
                new("must be changed", "Change it in the settings, under security.", "must be changed", "needs to be updated", "is outdated", "has to be replaced"),
                new("was forgotten", "Follow the reset link on the first page.", "was forgotten", "slipped my mind", "is lost"),
                new("was used by a stranger", "Sign out everywhere, then set a new one.", "was used by a stranger", "was stolen", "has been hacked", "is used by somebody else"),
                new("shall be deleted", "It is deleted for good after thirty days.", "shall be deleted", "should be removed", "must be erased"),
            ]),
        new("device", "Devices",
            [new("screen", "screen", "monitor", "display"), new("printer", "printer", "copier"), new("router", "router", "wireless box", "modem"),
                new("keyboard", "keyboard", "keypad"), new("battery", "battery", "power pack")],
            [
                new("does not turn on", "Hold the switch for ten seconds, then start it again.", "does not turn on", "stays dark", "is dead", "will not start"),
                new("is slow", "Install the latest update and restart.", "is slow", "takes forever", "hangs all the time", "lags"),
                new("makes a noise", "Clean the fan; if it stays, we exchange it.", "makes a noise", "hums loudly", "rattles", "squeaks"),
                new("loses its connection", "Bring it closer, and choose another channel.", "loses its connection", "keeps disconnecting", "drops out", "goes offline"),
                new("is not recognized", "Install the driver again and use another cable.", "is not recognized", "is not found", "does not show up"),
            ]),
        new("return", "Returns",
            [new("sweater", "sweater", "pullover"), new("jacket", "jacket", "coat"), new("camera", "camera", "photo camera"), new("book", "book", "novel"),
                new("board game", "board game", "puzzle", "toy")],
            [
                new("has the wrong size", "Print the label and send it back; the other size is free.", "has the wrong size", "is too small", "is too large", "does not fit"),
                new("shall be exchanged", "Choose the other one in the list of orders.", "shall be exchanged", "should be swapped", "must be replaced by another one"),
                new("is not as described", "Send it back; the postage is ours.", "is not as described", "looks different", "is not what I ordered"),
                new("was sent back without a refund", "Refunds take five days after it has arrived.", "was sent back without a refund", "was returned but not refunded", "went back and no money came"),
                new("has a missing part", "The part is sent by mail.", "has a missing part", "is incomplete", "lacks a piece"),
            ]),
    ];

    private static readonly string[] s_openings = ["my", "the", "hello, my", "help, the", "I think my", "since monday my", "sorry, but the", "our"];
    private static readonly string[] s_closings = ["", "", "", ", what now", ", please help", ", what can I do", " again", ", thanks"];

    /// <summary>Questions with their articles, in an order of chance.</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">The same one gives the same questions.</param>
    public static TrainingRow[] MakeUp(int count, int seed)
    {
        var articles = s_topics.SelectMany(topic => topic.Things.SelectMany(thing => topic.Problems.Select(problem => (topic, thing, problem)))).ToArray();
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var (topic, thing, problem) = articles[i < articles.Length ? i : random.Next(articles.Length)];
            return new TrainingRow
            {
                Id = $"{topic.Id}-{Array.IndexOf(topic.Things, thing) + 1}{Array.IndexOf(topic.Problems, problem) + 1}",
                Text = $"{Pick(s_openings)} {Pick(thing.Words)} {Pick(problem.Words)}{Pick(s_closings)}",
                Pair = $"The {thing.Name} {problem.Name}: {char.ToLowerInvariant(problem.Answer[0])}{problem.Answer[1..]}",
                Label = topic.Name,
            };
        })];

        string Pick(string[] words) => words[random.Next(words.Length)];
    }

    private sealed record Topic(string Id, string Name, Thing[] Things, Problem[] Problems);

    private sealed record Thing(string Name, params string[] Words);

    private sealed record Problem(string Name, string Answer, params string[] Words);
}
