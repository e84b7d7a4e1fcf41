import { join } from 'node:path';
import ts from 'typescript';
import { DOCUMENTS, read, ROOT, SOURCES } from './documents.js';
import { fencesOf } from './markdown.js';

/** A piece of TypeScript in a document or a docstring. */
export interface Snippet {
  readonly file: string;
  readonly line: number;
  readonly code: string;
}

/** Every TypeScript snippet that users see: those of the documents, and those of the docstrings. */
export function allSnippets(): Snippet[] {
  const inDocuments = DOCUMENTS.flatMap((file) => snippetsOf(file, read(file), 1));
  return [...inDocuments, ...SOURCES.flatMap(docstringSnippets)];
}

function snippetsOf(file: string, text: string, firstLine: number): Snippet[] {
  return fencesOf(text)
    .filter(({ language }) => language === 'ts')
    .map(({ code, line }) => ({ file, code, line: firstLine + line - 1 }));
}

function docstringSnippets(file: string): Snippet[] {
  const source = read(file);
  return [...source.matchAll(/\/\*\*[^]*?\*\//g)].flatMap(({ 0: comment, index }) => {
    const text = comment.replace(/^[ \t]*(?:\/\*\*|\*(?!\/)) ?/gm, '');
    return snippetsOf(file, text, source.slice(0, index).split('\n').length);
  });
}

const CONTEXT = join(ROOT, 'test/docs/context.ts');

/** What the compiler says of each snippet, by its place; all of them are compiled as one program, under further options too. */
export function compile(
  snippets: readonly Snippet[],
  further: ts.CompilerOptions = {},
): (snippet: Snippet) => string[] {
  const options = { ...compilerOptions(), ...further };
  const files = new Map<string, string>();
  const nameOf = ({ file, line }: Snippet): string =>
    join(ROOT, 'test/docs', `snippet-${file.replaceAll(/\W/g, '-')}-${line}.ts`);
  const shared = exportsOf(CONTEXT, options);
  for (const snippet of snippets) files.set(nameOf(snippet), asModule(snippet.code, shared));
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (name) => files.has(name) || disk.fileExists(name),
    readFile: (name) => files.get(name) ?? disk.readFile(name),
    getSourceFile(name, version) {
      const text = files.get(name);
      return text === undefined ? disk.getSourceFile(name, version) : ts.createSourceFile(name, text, version, true);
    },
  };
  const program = ts.createProgram({ rootNames: [...files.keys()], options, host });
  return (snippet) => {
    const source = program.getSourceFile(nameOf(snippet))!;
    return ts.getPreEmitDiagnostics(program, source).map(({ start = 0, messageText }) => {
      const line = snippet.line + source.getLineAndCharacterOfPosition(start).line;
      return `${snippet.file}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  };
}

/** The options of the project, under which a user who is strict compiles too. */
export function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (name) => ts.sys.readFile(name)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const paths = {
    'nest-sessions': ['./libs/sessions/src/index.ts'],
    'nest-sessions/context': ['./libs/sessions/src/context/index.ts'],
    'nest-sessions/platform-socket.io': ['./libs/sessions/src/platform-socket.io/index.ts'],
    'nest-sessions/graphql': ['./libs/sessions/src/graphql/index.ts'],
    'nest-sessions/platform-ws': ['./libs/sessions/src/platform-ws/index.ts'],
    'nest-sessions/swagger': ['./libs/sessions/src/swagger/index.ts'],
    'nest-sessions/testing': ['./libs/sessions/src/testing/index.ts'],
  };
  return { ...options, paths, noEmit: true, declaration: false, sourceMap: false };
}

interface Shared {
  readonly name: string;
  readonly typeOnly: boolean;
}

/** The names that a module exports. */
export function exportsOf(file: string, options: ts.CompilerOptions): Shared[] {
  const program = ts.createProgram([file], options);
  const checker = program.getTypeChecker();
  const symbol = checker.getSymbolAtLocation(program.getSourceFile(file)!)!;
  return checker.getExportsOfModule(symbol).map((exported) => {
    const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    return { name: exported.name, typeOnly: (target.flags & ts.SymbolFlags.Value) === 0 };
  });
}

/** A snippet as a module of its own: statements, the inside of a function or of a class, or decorators alone. */
function asModule(code: string, shared: readonly Shared[]): string {
  const own = topLevelNames(parse(code));
  const names = shared.filter(({ name }) => !own.has(name));
  const imported = names.map(({ name, typeOnly }) => (typeOnly ? `type ${name}` : name)).join(', ');
  // On one line, so that the lines of the snippet can be counted from its own first one.
  const prelude = `import { ${imported} } from './context.js'; `;
  const forms = [
    returns(code) ? `async function example() { ${code}\n}` : code,
    `class Example { ${code}\n}`,
    `${code}\nclass Example {}`,
  ];
  return prelude + (forms.find((form) => !hasSyntaxError(form)) ?? code);
}

function parse(code: string): ts.SourceFile {
  return ts.createSourceFile('snippet.ts', code, ts.ScriptTarget.ES2023, true);
}

function hasSyntaxError(code: string): boolean {
  const { diagnostics } = ts.transpileModule(code, {
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, experimentalDecorators: true },
  });
  return diagnostics!.length > 0;
}

function returns(code: string): boolean {
  return parse(code).statements.some((statement) => ts.isReturnStatement(statement));
}

/** The names that a snippet imports or declares at its top. */
function topLevelNames(source: ts.SourceFile): Set<string> {
  const names = source.statements.flatMap((statement): string[] => {
    if (ts.isImportDeclaration(statement)) {
      const bindings = statement.importClause?.namedBindings;
      return bindings && ts.isNamedImports(bindings) ? bindings.elements.map(({ name }) => name.text) : [];
    }
    if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.flatMap((d) => bound(d.name));
    const { name } = statement as ts.Statement & { name?: ts.Identifier };
    return name ? [name.text] : [];
  });
  return new Set(names);
}

function bound(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? bound(element.name) : []));
}
