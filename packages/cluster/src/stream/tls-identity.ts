/** The certificate of a node, and whom it trusts. All in PEM. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
  /** Authorities that sign the certificates of peers; undefined: those of the system. */
  readonly ca?: string | undefined;
  /** Whether peers that connect have to show a certificate of theirs: mutual TLS. */
  readonly verifiesPeers?: boolean;
}
