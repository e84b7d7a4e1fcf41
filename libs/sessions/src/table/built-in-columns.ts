/** Characters of the columns; an IPv6 address with an embedded IPv4 one has 45. */

export const IP_LENGTH = 45;
export const USER_AGENT_LENGTH = 255;
