using System.Diagnostics;
using System.Globalization;
using Quickstart;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var clock = Stopwatch.StartNew();
Arguments arguments;
try
{
    arguments = Arguments.Parse(args);
    if (arguments.WantsHelp)
    {
        Console.WriteLine(Arguments.Help);
        return 0;
    }
    if (arguments.AnswerFolder is { } folder)
    {
        SecondProcess.Run(folder);
        return 0;
    }
    return new Walkthrough(arguments, clock).Run();
}
catch (Exception problem) when (problem is ArgumentException or IOException or InvalidDataException)
{
    Console.Error.WriteLine($"quickstart: {problem.Message}");
    return 1;
}
