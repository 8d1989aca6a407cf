namespace Ssl.Tool;

/// <summary>The command line is wrong in a way that its parser cannot see: another file, another option.</summary>
internal sealed class UsageException(string message) : Exception(message);
