import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './documents.js';
import { compilerOptions } from './snippets.js';

/** A member of an interface, with what its docstring gives as its default. */
export interface Member {
  readonly name: string;
  readonly default: string | undefined;
}

/** The members that interfaces of the library declare themselves, by the interface's name. */
export function membersOf(names: readonly string[]): Map<string, Member[]> {
  const index = join(ROOT, 'libs/sessions/src/index.ts');
  const program = ts.createProgram([index], compilerOptions());
  const checker = program.getTypeChecker();
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(index)!)!);
  return new Map(
    names.map((name) => {
      const symbol = exported.find((one) => one.name === name);
      if (!symbol) throw new Error(`The library exports no ${name}.`);
      const { members } = checker.getAliasedSymbol(symbol);
      return [name, [...(members?.values() ?? [])].filter(isMember).map((member) => memberOf(member, checker))];
    }),
  );
}

function isMember(symbol: ts.Symbol): boolean {
  return (symbol.flags & (ts.SymbolFlags.Property | ts.SymbolFlags.Method)) !== 0;
}

function memberOf(symbol: ts.Symbol, checker: ts.TypeChecker): Member {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker)).replaceAll(/\s+/g, ' ');
  return { name: symbol.name, default: /Default: (.+?)\.(?: |$)/.exec(text)?.[1] };
}
