import { Controller, Get, Header, NotFoundException, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '@app/sessions';
import { ASSETS } from './assets.js';

/** The style sheet, the script and the icon. They are the same for everybody, so browsers and proxies may cache them. */
@ApiExcludeController()
@Controller('assets')
export class AssetsController {
  @Public()
  @Get(':name')
  @Header('Cache-Control', 'public, max-age=31536000, immutable')
  @Header('X-Content-Type-Options', 'nosniff')
  asset(
    @Param('name') name: string,
    @Res({ passthrough: true }) response: { setHeader(name: string, value: string): void },
  ): string {
    const asset = ASSETS.get(name);
    if (asset === undefined) throw new NotFoundException();
    response.setHeader('Content-Type', asset.type);
    return asset.content;
  }
}
