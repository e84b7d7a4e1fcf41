/** A message to somebody. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** The path of a page of the demo that it leads to. */
  readonly link: string;
}

/** What brings messages to people: an application has its mail service here. */
export abstract class Mailer {
  abstract send(mail: Mail): Promise<void>;
}
