import type { FormatDefaults } from '../sql/analyse/source.ts';

/** Session settings that decide formats; others change nothing here. */
export function withSetting(defaults: FormatDefaults, name: string, value: string): FormatDefaults {
  const format = value.toUpperCase();
  const known = format === 'JSON' || format === 'DELIMITED' || format === 'KAFKA' || format === 'NONE';
  switch (name.replace(/^'|'$/g, '')) {
    case 'ksql.persistence.default.format.key':
      return known ? { ...defaults, keyFormat: format } : defaults;
    case 'ksql.persistence.default.format.value':
      return known ? { ...defaults, valueFormat: format } : defaults;
    case 'ksql.persistence.wrap.single.values':
      return { ...defaults, wrapSingle: value.toLowerCase() !== 'false' };
    default:
      return defaults;
  }
}
