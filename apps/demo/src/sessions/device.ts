import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

/** What is kept with a session, so that its owner knows it in the list. */
export interface Device {
  readonly userAgent: string | null;
  readonly ip: string | null;
}

interface DeviceRequest {
  readonly headers: { readonly 'user-agent'?: string };
  readonly ip?: string;
}

const MAX_USER_AGENT = 255;

/** The device that a request comes from, as far as it tells. */
export const CurrentDevice: () => ParameterDecorator = createParamDecorator(
  (_: unknown, context: ExecutionContext): Device => {
    const { headers, ip } = context.switchToHttp().getRequest<DeviceRequest>();
    return { userAgent: headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null, ip: ip ?? null };
  },
);
