// The proxy in front of an application.

export {};
