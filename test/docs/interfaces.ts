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
  const { checker, exported } = surface();
  return new Map(
    names.map((name) => {
      const symbol = exported.find((one) => one.name === name);
      if (!symbol) throw new Error(`The library exports no ${name}.`);
      const { members } = checker.getAliasedSymbol(symbol);
      return [name, [...(members?.values() ?? [])].filter(isMember).map((member) => memberOf(member, checker))];
    }),
  );
}

/** The names of all members, inherited ones too, of the types that the library exports, by the type's name; classes are none. */
export function exportedTypes(): Map<string, string[]> {
  const { checker, exported } = surface();
  const types = exported
    .map((symbol) => [symbol.name, checker.getAliasedSymbol(symbol)] as const)
    .filter(([, symbol]) => (symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)) !== 0);
  return new Map(
    types.map(([name, symbol]) => {
      const type = checker.getDeclaredTypeOfSymbol(symbol);
      const parts = type.isUnion() ? type.types : [type];
      const isObject = (part: ts.Type): boolean => (part.flags & ts.TypeFlags.Object) !== 0;
      const members = parts.filter(isObject).flatMap((part) => checker.getPropertiesOfType(part));
      return [name, [...new Set(members.map((member) => member.name))]];
    }),
  );
}

function surface(): { readonly checker: ts.TypeChecker; readonly exported: readonly ts.Symbol[] } {
  const index = join(ROOT, 'libs/sessions/src/index.ts');
  const program = ts.createProgram([index], compilerOptions());
  const checker = program.getTypeChecker();
  return { checker, exported: checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(index)!)!) };
}

function isMember(symbol: ts.Symbol): boolean {
  return (symbol.flags & (ts.SymbolFlags.Property | ts.SymbolFlags.Method)) !== 0;
}

function memberOf(symbol: ts.Symbol, checker: ts.TypeChecker): Member {
  const tag = symbol.getJsDocTags(checker).find(({ name }) => name === 'default');
  return { name: symbol.name, default: tag && ts.displayPartsToString(tag.text).replaceAll(/\s+/g, ' ') };
}
