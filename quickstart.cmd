@echo off
rem Learns from the documentation of .NET without labels and shows what that bought: quickstart [--query "..."] [--data DIR] [--help]
setlocal
dotnet run --project "%~dp0examples\quickstart\Quickstart.csproj" -c Release -- --output "%~dp0artifacts\quickstart" %*
