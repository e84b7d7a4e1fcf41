import { Module } from '@nestjs/common';
import { SubscriptionSessions } from './subscription-sessions.js';

/**
 * Provides {@link SubscriptionSessions} for the options of a GraphQL driver, to accept connections by their sessions.
 *
 * @example
 * ```ts
 * import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
 * import { GraphQLModule } from '@nestjs/graphql';
 *
 * GraphQLModule.forRootAsync<ApolloDriverConfig>({
 *   driver: ApolloDriver,
 *   imports: [SubscriptionSessionsModule],
 *   inject: [SubscriptionSessions],
 *   useFactory: (subscriptions: SubscriptionSessions) => ({
 *     autoSchemaFile: true,
 *     subscriptions: { 'graphql-ws': subscriptions.graphqlWs() },
 *   }),
 * });
 * ```
 */
@Module({ providers: [SubscriptionSessions], exports: [SubscriptionSessions] })
export class SubscriptionSessionsModule {}
