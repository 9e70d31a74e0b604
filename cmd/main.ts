import description from '../package.json' with { type: 'json' };

if (process.argv[2] === '--version') process.stdout.write(`${description.version}\n`);
else process.exitCode = 2;
