import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { actingAs, SessionsTestingModule } from 'nest-sessions/testing';
import request from 'supertest';
import { ApiKeys } from './api-keys.entity.js';
import { ReportsController } from './reports.controller.js';

describe('ReportsController', () => {
  let app: INestApplication;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [SessionsTestingModule.forTables([ApiKeys])],
      controllers: [ReportsController],
    }).compile();
    app = module.createNestApplication();
    await app.init();
  });
  afterAll(() => app.close());

  it('is for keys with the scope', async () => {
    const userId = '01890000-0000-7000-8000-000000000000';
    const headers = await actingAs(app, ApiKeys, { userId, name: 'ci', scopes: ['reports:read'] });
    const read = await request(app.getHttpServer()).get('/reports').set(headers);
    expect(read.body).toEqual({ readBy: 'ci' });
    const write = await request(app.getHttpServer()).post('/reports').set(headers);
    expect(write.status).toBe(403);
  });
});
