/**
 * Words that may stand in some rooms only. A linter's rule would need a plug-in for each; reading the lines is enough.
 * Prints every place with the reason, and exits 1 when there is one.
 */
import { globSync, readFileSync } from 'node:fs';

/** @type {{ word: RegExp, in: RegExp, except?: RegExp, why: string }[]} */
const RULES = [
  {
    word: /\bDate\.now\(|new Date\(\)/,
    in: /^src\//,
    except: /^src\/clock\//,
    why: 'time comes from the Clock',
  },
  {
    word: /\b(setTimeout|setInterval)\(/,
    in: /^src\//,
    except: /^src\/clock\//,
    why: 'waiting is Clock.sleep',
  },
  {
    word: /process\.env\b/,
    in: /^src\//,
    except: /^src\/config\//,
    why: 'the environment is read in config only',
  },
  {
    word: /\.pipe\(/,
    in: /^(src|test|scripts|bench)\//,
    why: 'errors do not travel through pipe(); use pipeline()',
  },
  {
    word: /\.transaction\(|createQueryRunner|@InjectRepository|@InjectDataSource/,
    in: /^src\//,
    except: /^src\/catalog\//,
    why: 'the catalog has two doors: write() and read',
  },
  { word: /forwardRef\(/, in: /^src\//, why: 'a cycle with a bow on' },
  { word: /^\s*(export )?(const )?enum /, in: /^(src|test)\//, why: 'string literal unions instead' },
  {
    word: /HttpException|(NotFound|BadRequest|Conflict)Exception/,
    in: /^src\//,
    except: /^src\/(http|health)\//,
    why: 'rooms throw DomainError',
  },
  {
    word: /@ts-(ignore|nocheck)|(oxlint|eslint)-disable(?!-next-line [\w/-]+ -- )/,
    in: /^(src|test|scripts|bench)\//,
    except: /^scripts\/check\//,
    why: 'mend it, or say why: disable-next-line rule -- reason',
  },
  { word: /\b(it|test|describe)\.only\(/, in: /^(src|test)\//, why: 'the other tests would not run' },
];

let found = 0;
for (const file of globSync('{src,test,scripts,bench}/**/*.{ts,mjs}').sort()) {
  const rules = RULES.filter((rule) => rule.in.test(file) && !rule.except?.test(file));
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (/^\s*(\*|\/\/|\/\*)/.test(line)) continue;
    for (const rule of rules) {
      const match = rule.word.exec(line);
      if (match === null) continue;
      found += 1;
      console.error(`${file}:${index + 1}  ${match[0].trim()}  (${rule.why})`);
    }
  }
}
if (found > 0) process.exitCode = 1;
