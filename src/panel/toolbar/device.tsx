/**
 * The device selector.
 *
 * @packageDocumentation
 */
import { HTMLSelect } from '@jupyterlab/ui-components';
import { CommandIDs } from '../commandids';
import { ModelWidget } from '../modelwidget';

/** Devices by name; those that cannot be used are listed with the reason, and cannot be chosen. */
export class DeviceSelect extends ModelWidget {
  constructor(options: ModelWidget.IOptions) {
    super(options, 'castlens-Device');
  }

  protected override render() {
    const { model, commands, trans } = this.options;
    const { devices, variant } = model.state;
    const chosen = devices.find(device => device.id === variant.device);
    return (
      <HTMLSelect
        aria-label={trans.__('Device')}
        title={chosen?.reason ?? trans.__('Device that the model runs on')}
        value={variant.device}
        onChange={event =>
          void commands.execute(CommandIDs.setDevice, { device: event.currentTarget.value })
        }
      >
        {chosen ? null : <option value={variant.device}>{variant.device}</option>}
        {devices.map(device => (
          <option
            key={device.id}
            value={device.id}
            disabled={!device.available}
            title={device.reason}
          >
            {device.available ? device.label : trans.__('%1 (not available)', device.label)}
          </option>
        ))}
      </HTMLSelect>
    );
  }
}
