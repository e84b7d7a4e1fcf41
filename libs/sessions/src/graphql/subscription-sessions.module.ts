import { Module } from '@nestjs/common';
import { SubscriptionSessions } from './subscription-sessions.js';

/**
 * Gives the options of a GraphQL driver what lets connections in by their sessions: {@link SubscriptionSessions}.
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
