import { type INestApplication, ValidationPipe, VersioningType } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { createSessionsDocument } from 'nest-sessions/swagger';

/** What the application and its tests have in common. */
export function setUp(app: INestApplication): void {
  app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
  app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }));
  const config = new DocumentBuilder().setTitle('Newcomer').build();
  SwaggerModule.setup('docs', app, () => createSessionsDocument(app, config));
}
