/** An e-mail. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** The path of the demo's page that it links to. */
  readonly link: string;
}

/** Sends e-mails. An application uses its mail service here. */
export abstract class Mailer {
  abstract send(mail: Mail): Promise<void>;
}
