@echo off
rem Builds everything and runs all tests with the real packages: test [dotnet test arguments]
setlocal
cd /d "%~dp0"
dotnet test SslMLNet.sln -c Release --nologo --filter "TestCategory!=Long" %*
