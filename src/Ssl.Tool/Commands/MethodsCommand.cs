using System.CommandLine;
using Ssl.Tool.Configuration;

namespace Ssl.Tool.Commands;

/// <summary><c>ssl methods</c>: what can be pretrained; <c>ssl methods NAME</c>: its options, from their declarations.</summary>
internal static class MethodsCommand
{
    public static Command Create(ToolConsole console)
    {
        var name = new Argument<string?>("name") { Description = "A method, to list its options.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("methods", "List methods, or the options of one.") { name };
        command.SetAction(parsed => Run(console, parsed.GetValue(name)));
        return command;
    }

    private static int Run(ToolConsole console, string? name)
    {
        if (name is null)
        {
            foreach (var group in MethodCatalog.All.GroupBy(method => method.Group.Name))
            {
                console.Output.WriteLine(group.Key);
                foreach (var each in group)
                    console.Output.WriteLine($"  {each.Name,-28}{OptionComments.OfType(each.OptionsType.DeclaringType!)}");
            }
            return SslCommand.Success;
        }
        var method = MethodCatalog.Find(name) ?? throw new UsageException(MethodCatalog.Unknown(name));
        console.Output.WriteLine($"{method.FullName}: {OptionComments.OfType(method.OptionsType.DeclaringType!)}");
        foreach (var option in OptionList.Of(method))
        {
            console.Output.WriteLine();
            console.Output.WriteLine($"  \"{option.Name}\": {option.Default}{(option.Allowed == "" ? "" : $"   ({option.Allowed})")}");
            console.Output.WriteLine($"      {option.Comment}");
        }
        return SslCommand.Success;
    }
}
