import type { INestApplication, Type } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import type { NestModule } from '../guard/nest-internals.js';
import { DECORATORS, type OpenAPIObject, type OperationObject } from '@nestjs/swagger';

type Requirement = NonNullable<OperationObject['security']>[number];

/** A controller, and the module that holds its guards. */
interface Owner {
  readonly controller: Type;
  readonly module: NestModule;
}

/** A route of the application: its operation in the document, and the code behind it. */
export interface Route extends Owner {
  readonly method: string;
  readonly operation: OperationObject;
  readonly handler: object;
}

const MARK = 'nest-sessions:';

/**
 * Creates a document and finds the code behind each operation. Operations have no reference to it, so meanwhile
 * controllers and handlers carry marks in their security requirements.
 */
export function documentRoutes(
  app: INestApplication,
  create: () => OpenAPIObject,
): { readonly document: OpenAPIObject; readonly routes: readonly Route[] } {
  const owners = ownersIn(app);
  const handlers = [...new Set(owners.flatMap(({ controller }) => handlersOf(controller)))];
  const document = withMarks([...owners.map(({ controller }) => controller), ...handlers], create);
  const routes = Object.values(document.paths).flatMap((path) =>
    Object.entries(path as Readonly<Record<string, OperationObject>>).map(([method, operation]) => {
      const [owner, handler] = takeMarks(operation);
      return { ...owners[owner]!, handler: handlers[handler - owners.length]!, method, operation };
    }),
  );
  return { document, routes };
}

function ownersIn(app: INestApplication): Owner[] {
  const modules = [...app.get(ModulesContainer).values()];
  return modules.flatMap((module) =>
    [...module.controllers.values()].flatMap(({ metatype }) => [{ controller: metatype as Type, module }]),
  );
}

function handlersOf({ prototype }: Type): object[] {
  const methods = prototype as Readonly<Record<string, object>>;
  return new MetadataScanner().getAllMethodNames(methods).map((name) => methods[name]!);
}

/** Runs a function while each target has a security requirement named by its number. */
function withMarks<T>(targets: readonly object[], run: () => T): T {
  const before = targets.map((target) => Reflect.getOwnMetadata(DECORATORS.API_SECURITY, target) as unknown);
  const marked = targets.map((target, i) => [...requirementsOn(target), { [`${MARK}${i}`]: [] }]);
  targets.forEach((target, i) => Reflect.defineMetadata(DECORATORS.API_SECURITY, marked[i], target));
  try {
    return run();
  } finally {
    targets.forEach((target, i) => {
      if (before[i] === undefined) Reflect.deleteMetadata(DECORATORS.API_SECURITY, target);
      else Reflect.defineMetadata(DECORATORS.API_SECURITY, before[i], target);
    });
  }
}

function requirementsOn(target: object): Requirement[] {
  return (Reflect.getMetadata(DECORATORS.API_SECURITY, target) as Requirement[] | undefined) ?? [];
}

/** Removes the marks of the controller and the handler from an operation, and returns them in that order. */
function takeMarks(operation: OperationObject): readonly [number, number] {
  const { security = [] } = operation;
  const isMark = (requirement: Requirement): boolean => Object.keys(requirement).some((name) => name.startsWith(MARK));
  const own = security.filter((requirement) => !isMark(requirement));
  if (own.length > 0) operation.security = own;
  else delete operation.security;
  const [controller, handler] = security.filter(isMark).map((mark) => Number(Object.keys(mark)[0]!.slice(MARK.length)));
  return [controller!, handler!];
}
